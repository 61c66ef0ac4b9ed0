"""Bad input: exactly one dead letter each, with its named reason and its bytes; never a crash, never silence."""

import pytest

from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.partitioning import partition_of
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import default_yaml, load_policy
from pipeline.rates import Rates
from pipeline.record import InputRecord
from schemas.dead_letter import LARGEST_VALUE, parse
from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import parse_ms
from tests.bad_input import ARRIVAL, CARD, DOCUMENT, TABLE, Bad, document

POLICY = load_policy(default_yaml())


def partition(partitions: int | None = None) -> Partition:
    states: dict[bytes, bytes] = {}
    return Partition(0, partitions, Books(PolicyBook(POLICY), Rates()), states.get, states.get)


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.what)
def test_bad_input_becomes_one_dead_letter_with_its_reason_and_its_bytes(bad: Bad) -> None:
    judge = partition()
    (letter,) = judge.take([InputRecord("transactions", 0, 41, parse_ms(ARRIVAL), bad.key, bad.value)])

    said = parse(letter.headers)
    assert (letter.topic, letter.key) == ("dead-letters", bad.key)
    assert (said.reason, said.topic, said.offset) == (bad.reason, "transactions", 41)
    assert judge.changes() == ({}, {})
    value = letter.value
    if bad.reason == Reason.CARD_NUMBER:
        assert said.masked
        assert CARD.encode() not in (value or b"").replace(b" ", b"").replace(b"-", b"")
    elif bad.value is not None and len(bad.value) > LARGEST_VALUE:
        assert value == bad.value[:LARGEST_VALUE]
        assert said.size == len(bad.value)
    else:
        assert value == bad.value


def test_a_transaction_on_the_wrong_partition_is_told_from_one_on_the_right() -> None:
    good = next(bad for bad in TABLE if bad.reason == Reason.EMPTY_KEY).value
    right = partition_of(b"c-1", 4)
    for number in range(4):
        judge = partition(4)
        (message,) = judge.take([InputRecord("transactions", number, 0, parse_ms(ARRIVAL), b"c-1", good)])
        if number == right:
            assert message.topic == "decisions"
        else:
            assert parse(message.headers).reason == Reason.WRONG_PARTITION


def test_a_card_number_in_broken_bytes_is_masked_too() -> None:
    broken = b'\xff{"description": "' + CARD.encode()
    (letter,) = partition().take([InputRecord("transactions", 0, 0, parse_ms(ARRIVAL), b"c-1", broken)])

    assert letter.value == b'\xff{"description": "411111******1111'


def test_the_page_is_current() -> None:
    assert document() == DOCUMENT.read_text()
