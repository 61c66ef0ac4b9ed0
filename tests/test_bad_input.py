"""Bad input: exactly one dead letter each, with its named reason and its bytes; never a crash, never silence."""

import re

import pytest

from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.partitioning import partition_of
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import default_yaml, load_policy
from pipeline.rates import Rates
from pipeline.record import InputRecord, Message
from schemas.dead_letter import LARGEST_VALUE, DeadLetter, parse
from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import parse_ms
from schemas.topics import SHARED_TOPICS
from tests.bad_input import ARRIVAL, CARD, DOCUMENT, GOOD_VALUE, TABLE, Bad, document

POLICY = load_policy(default_yaml())
NOON = parse_ms(ARRIVAL)
# Reasons that need a customer, a line of a replay or a bug of ours: each has its own test below or elsewhere.
ELSEWHERE = {
    Reason.WRONG_PARTITION,
    Reason.CONFLICTING_DUPLICATE,
    Reason.TOO_LATE_TO_DEDUPLICATE,  # `tierwatch dlq replay`
    Reason.NOT_A_RECORD,  # tests/test_replay.py
    Reason.CRASHED,  # tests/laws/test_assess_house.py
}


def partition(partitions: int | None = None) -> Partition:
    nothing: dict[bytes, bytes] = {}
    return Partition(0, partitions, Books(PolicyBook(POLICY), Rates()), nothing.get, nothing.get)


def take(judge: Partition, record: InputRecord) -> list[Message]:
    if record.topic in SHARED_TOPICS:
        return judge.books.take(record)
    return judge.take([record])


def holds_card(value: bytes) -> bool:
    """Whether the card number stands in bytes, with whatever between its digits, escapes included."""
    text = re.sub(rb"\\u00(3[0-9])", lambda escape: bytes.fromhex(escape[1].decode()), value)
    return CARD.encode() in re.sub(rb"\\u[0-9a-f]{4}|\\[tn]|[^0-9*]", b"", text)


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: f"{bad.topic}: {bad.what}")
def test_bad_input_becomes_one_dead_letter_with_its_reason_and_its_bytes(bad: Bad) -> None:
    judge = partition()
    record = bad.record()
    (letter,) = take(judge, record)
    said = parse(letter.headers)
    assert (letter.topic, letter.key) == ("dead-letters", bad.key)
    assert (said.reason, said.topic, said.offset) == (bad.reason, bad.topic, record.offset)
    assert said.detail
    assert said.original_headers == tuple(bad.headers)
    assert judge.changes() == ({}, {})
    assert_kept(letter.value, said, bad)


def assert_kept(value: bytes | None, said: DeadLetter, bad: Bad) -> None:
    """The original bytes, but for card numbers, and for what is beyond the largest message."""
    assert said.masked == bad.card
    original = bad.value
    if original is None:
        assert value is None
        return
    assert value is not None
    cut = len(original) > LARGEST_VALUE
    assert said.size == (len(original) if bad.card or cut else None)
    assert bool(said.digest) == (bad.card or cut)
    if bad.card:
        assert holds_card(original) or b"3782" in original
        assert not holds_card(value)
        assert b"****" in value.replace(b"\0", b"")
    else:
        assert value == original[:LARGEST_VALUE]


def test_every_reason_has_its_row() -> None:
    assert {bad.reason for bad in TABLE} == set(Reason) - ELSEWHERE


def test_what_is_good_is_decided() -> None:
    """Or the table above would prove nothing."""
    good = Bad("", Reason.CRASHED, GOOD_VALUE)
    assert [message.topic for message in partition().take([good.record()])] == ["decisions"]


def test_a_transaction_on_the_wrong_partition_is_told_from_one_on_the_right() -> None:
    right = partition_of(b"c-1", 4)
    for number in range(4):
        judge = partition(4)
        (message,) = judge.take([InputRecord("transactions", number, 0, NOON, b"c-1", GOOD_VALUE)])
        if number == right:
            assert message.topic == "decisions"
        else:
            assert parse(message.headers).reason == Reason.WRONG_PARTITION


def test_the_same_id_with_other_content_is_a_conflict() -> None:
    judge = partition()
    first = InputRecord("transactions", 0, 0, NOON, b"c-1", GOOD_VALUE)
    other = first._replace(offset=1, value=GOOD_VALUE.replace(b"1000", b"1001"))
    _, letter = judge.take([first, other])
    assert parse(letter.headers).reason == Reason.CONFLICTING_DUPLICATE
    assert letter.value == other.value


def test_order_of_checks_decides_the_reason() -> None:
    """Decode, validate, card number, partition, time, duplicate: the first that fails is told."""
    flaws = [
        (b'"amount": 1000', b'"amount": -1000', Reason.NEGATIVE_AMOUNT),
        (b'"pos"', b'"pos", "description": "4111111111111111"', Reason.CARD_NUMBER),
        (b"", b"", Reason.WRONG_PARTITION),
        (ARRIVAL.encode(), b"2026-11-01T00:00:00Z", Reason.TOO_LATE),
    ]
    wrong = (partition_of(b"c-1", 4) + 1) % 4
    while flaws:
        value = GOOD_VALUE
        for good, bad, _ in flaws:
            value = value.replace(good, bad) if good else value
        on_wrong = wrong if any(reason == Reason.WRONG_PARTITION for _, _, reason in flaws) else partition_of(b"c-1", 4)
        (letter,) = partition(4).take([InputRecord("transactions", on_wrong, 0, NOON, b"c-1", value)])
        assert parse(letter.headers).reason == flaws[0][2]
        del flaws[0]


def test_the_page_is_current() -> None:
    assert document() == DOCUMENT.read_text()
