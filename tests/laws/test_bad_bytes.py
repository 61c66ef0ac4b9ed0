"""Whatever bytes come on whatever topic: one outcome, never a crash, and no card number in a dead letter."""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.cards import find_cards, mask_text, mask_value
from pipeline.policy.load import default_yaml
from pipeline.record import InputRecord, Message
from schemas.dead_letter import parse
from schemas.reasons import DeadLetterReason as Reason
from schemas.topics import SHARED_TOPICS
from tests.bad_input import EVENT, GOOD, LABEL, LISTED, POLICY, RATE, RISK, TAUGHT
from tests.laws.judging_bench import Bench
from tests.laws.oracle import moment_of
from tests.laws.test_codec import JSON, spoilt

NOON = moment_of("2026-11-20T12:00Z")
VALID: dict[str, dict[str, Any]] = {
    "transactions": {**GOOD, "description": "tea", "location": {"lat": 1.5, "lon": -2}},
    "customer-events": EVENT,
    "dispositions": LABEL,
    "rates": RATE,
    "policies": POLICY,
    "lists": LISTED,
    "entity-labels": TAUGHT,
    "entity-risk": RISK,
}
KEYS = [None, b"", b"c-1", b"\xff", b"default", b"EUR/2026-11-20", b"c" * 200]
HEADERS = st.lists(
    st.tuples(st.sampled_from(("ce_source", "traceparent", "reason")), st.binary(max_size=8)), max_size=2
)
OUTCOMES = ("decisions", "duplicates", "dead_letters", "events", "dispositions")


def take(bench: Bench, record: InputRecord) -> tuple[list[Message], int]:
    """What was said, and how many outcomes were counted."""
    if record.topic in SHARED_TOPICS:
        # An applied rate says nothing; every other record of these topics says one thing.
        messages = bench.books.take(record)
        return messages, max(len(messages), 1)
    messages = bench.take([record])
    counts = bench.partition.tally.drain().counts
    return messages, sum(count for name, count in counts.items() if name[0] in OUTCOMES)


@settings(max_examples=300)
@given(st.sampled_from(sorted(VALID)), st.data())
def test_nearly_a_message_has_one_outcome(topic: str, data: st.DataObject) -> None:
    value = data.draw(st.one_of(spoilt(VALID[topic]), spoilt(VALID[topic]), st.binary(max_size=40), st.none()))
    key = data.draw(st.one_of(st.sampled_from(KEYS), st.just(b"c-1")))
    arrival = data.draw(st.sampled_from((NOON, NOON, NOON, -1, 0, 2**63 - 1)))
    record = InputRecord(topic, 0, 7, arrival, key, value, data.draw(HEADERS))
    bench = Bench(default_yaml().decode(), {})
    messages, outcomes = take(bench, record)
    assert outcomes == 1
    letters = [parse(message.headers) for message in messages if message.topic == "dead-letters"]
    assert len(letters) <= 1
    for letter in letters:
        assert letter.reason != Reason.CRASHED
        assert len(messages) == 1
        assert messages[0].key == key
        assert letter.masked or messages[0].value == value
        assert bench.windows == {}
    # And told once more, it is the same again, or was heard before.
    again, outcomes = take(bench, record)
    assert outcomes == 1
    assert again in (messages, [])


VISA, AMEX, MAESTRO = "4111111111111111", "378282246310005", "501800000009"
cards = st.sampled_from((VISA, AMEX, MAESTRO, "5500000000000004", "4222222222222"))


@st.composite
def written(draw: st.DrawFn) -> str:
    """A card number as people type it."""
    text = draw(cards)
    every = draw(st.integers(1, 20))
    between = draw(st.sampled_from(("", " ", "-", "  ", " - ", "\u00a0", "\u2011", "\t")))
    return between.join(text[at : at + every] for at in range(0, len(text), every))


around = st.text(st.characters(exclude_categories=["Cs", "N"], exclude_characters="\0"), max_size=9)
# What cannot be between two digits of one number.
apart = around.map(lambda text: f"{text}x")


def digits_of(text: str) -> str:
    return re.sub(r"[^0-9*]", "", text)


@given(apart, written(), apart)
def test_a_card_number_is_found_however_it_is_typed(before: str, card: str, after: str) -> None:
    masked, found = mask_text(before + card + after)
    assert found == 1
    assert masked.startswith(before)
    assert masked.endswith(after)
    plain, now = digits_of(card), digits_of(masked[len(before) : len(before) + len(card)])
    assert now == plain[:6] + "*" * (len(plain) - 10) + plain[-4:]


@given(written(), around, st.sampled_from(("plain", "escaped", "nested", "broken", "utf-16", "key")))
def test_a_card_number_is_found_wherever_it_stands(card: str, text: str, where: str) -> None:
    # Two ways to hide at once, escapes within UTF-16, nobody finds by accident.
    assume(where != "utf-16" or re.fullmatch("[0-9 -]+", card))
    said = f"{text}x{card}"
    value = {
        "plain": json.dumps({"a": said}, ensure_ascii=False).encode(),
        "escaped": json.dumps({"a": "".join(f"\\u{ord(c):04x}" if c < "\uffff" else c for c in said)})
        .replace("\\\\u", "\\u")
        .encode(),
        "nested": json.dumps([{"a": [said]}]).encode(),
        "broken": json.dumps({"a": said}).encode()[:-1],
        "utf-16": json.dumps({"a": said}).encode("utf-16"),
        "key": json.dumps({said: 1}).encode(),
    }[where]
    masked, found = mask_value(value)
    assert found == 1
    assert mask_value(masked) == (masked, 0)


@given(JSON)
def test_what_is_masked_stays_json_and_what_is_not_stays_as_it_is(whole: Any) -> None:  # noqa: ANN401 - any JSON value
    value = json.dumps({"a": whole}).encode()
    # Python writes, and reads, three numbers that JSON does not have; what is no JSON is masked as any text.
    assume(not re.search(rb"NaN|Infinity", value))
    masked, found = mask_value(value)
    assert (masked == value) == (found == 0)
    json.loads(masked)


def naive(text: str) -> bool:
    """Whether some stretch of whole groups of digits makes a Visa number: 13, 16 or 19 digits, the first a 4."""
    groups = [found.span() for found in re.finditer(r"[0-9]+", text)]
    for first in range(len(groups)):
        for last in range(first, len(groups)):
            gaps = [text[groups[at][1] : groups[at + 1][0]] for at in range(first, last)]
            digits = re.sub(r"[^0-9]", "", text[groups[first][0] : groups[last][1]])
            if not all(re.fullmatch(r"[ -]{1,3}", gap) for gap in gaps) or len(digits) not in {13, 16, 19}:
                continue
            doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits), start=1)]
            if digits[0] == "4" and sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0:
                return True
    return False


@settings(max_examples=300)
@given(st.text("4 -0", min_size=12, max_size=30))
def test_a_card_number_is_one_by_prefix_length_and_check_digit(text: str) -> None:
    assert (next(find_cards(text), None) is not None) == naive(text)


@pytest.mark.parametrize("amount, mcc", [(411111111, "1111"), (4111, "111111111111")])
def test_two_fields_make_no_card_number(amount: int, mcc: str) -> None:
    value = json.dumps({**GOOD, "amount": amount, "mcc": mcc, "country": "US"}).encode()
    bench = Bench(default_yaml().decode(), {})
    messages = bench.take([InputRecord("transactions", 0, 0, NOON, b"c-1", value)])
    assert messages[0].topic == "decisions"
