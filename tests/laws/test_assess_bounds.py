"""However busy a customer is and however long its ids: no state record grows past 64 KiB, and nothing is forgotten."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import pytest

from pipeline.record import InputRecord, Message
from schemas.timestamps import format_ms
from tests.laws.judging_bench import Bench, told
from tests.laws.judging_memory import HOUR
from tests.laws.judging_steps import DAY, policy_text, rate
from tests.laws.oracle import moment_of

LARGEST_RECORD = 64 * 1024
NOON = moment_of("2026-06-10T12:00Z")
PLAIN = policy_text("America/New_York", "plain")
# What the wire allows: 128 characters, of up to four bytes each in UTF-8.
LONG = "🦆" * 120


def payment(transaction_id: str, moment: int, **fields: object) -> dict[str, Any]:
    return {
        "transaction_id": transaction_id,
        "source": "acq",
        "customer_id": "c-1",
        "occurred_at": format_ms(moment),
        "amount": 999_999_999,
        "currency": "USD",
        "transaction_type": "purchase",
        **fields,
    }


def reversal(of: dict[str, Any], transaction_id: str, moment: int, **fields: object) -> dict[str, Any]:
    about = {"original_transaction_id": of["transaction_id"], "original_occurred_at": of["occurred_at"]}
    return {**of, "transaction_id": transaction_id, "occurred_at": format_ms(moment), **about, **fields}


def arriving(bodies: Iterable[tuple[int, dict[str, Any]]]) -> list[InputRecord]:
    return [
        InputRecord("transactions", 0, number, arrival, b"c-1", json.dumps(body).encode())
        for number, (arrival, body) in enumerate(bodies)
    ]


def take(bench: Bench, records: list[InputRecord], batch: int = 200) -> Iterator[Message]:
    for begin in range(0, len(records), batch):
        yield from bench.take(records[begin : begin + batch])


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@pytest.mark.parametrize("prefix, source", [(LONG, "acq"), ("0" * 120, "acq"), ("", LONG)])
def test_no_id_is_too_long_for_a_state_record(prefix: str, source: str, currency: str) -> None:
    bench = Bench(PLAIN, {})
    bench.books.take(rate("EUR", NOON, "1.0945"))
    story = []
    for number in range(400):
        # Where the source is long, each payment has one of its own.
        told_by = f"{source}{number:08d}" if source == LONG else source
        payee = {"payee_id": f"{LONG}{number:08d}", "device_id": f"{LONG}{number:08d}"}
        paid = payment(f"{prefix}p{number:07d}", NOON + number, source=told_by, currency=currency, **payee)
        back = reversal(paid, f"{prefix}r{number:07d}", NOON + number, transaction_type="reversal", amount=1)
        story += [(NOON + number, paid), (NOON + number, back)]
    messages = list(take(bench, arriving(story)))
    assert Counter(message.topic for message in messages)["decisions"] == 800
    assert bench.largest <= LARGEST_RECORD
    # And all of them are still known.
    assert list(take(bench, arriving(story))) == []


def a_day(seed: int, count: int) -> list[tuple[int, dict[str, Any]]]:
    """By arrival, each up to a day after it occurred; 5% reversals, 5% twice."""
    dice = Random(seed)
    end = NOON + DAY
    story = []
    for number in range(count):
        moment = NOON + dice.randrange(DAY)
        paid = payment(f"t-{number}", moment, amount=int(dice.lognormvariate(8, 1)), payee_id=f"p-{number % 99}")
        arrival = dice.randrange(moment, end)
        story.append((arrival, paid))
        if dice.random() < 0.05:
            story.append((dice.randrange(arrival, end), paid))
        if dice.random() < 0.05:
            at = dice.randrange(arrival, end)
            story.append((at, reversal(paid, f"r-{number}", at, transaction_type="reversal")))
    return sorted(story, key=lambda arrival: arrival[0])


# `python -m load_tests busy` is the same with 100,000, and measures.
def test_a_customer_with_very_many_transactions_in_a_day() -> None:
    bench = Bench(PLAIN, {}, cached=1)
    story = arriving(a_day(1, 6_000))
    outcomes: Counter[str] = Counter()
    for message in take(bench, story, 500):
        if message.topic in {"decisions", "dead-letters"}:
            outcomes[told([message]).outcome] += 1
    distinct = len({record.value for record in story})
    assert outcomes == {"decided": distinct}
    assert bench.largest <= LARGEST_RECORD
    first_hour = [record for record in story if record.timestamp < NOON + HOUR]
    bench.restart()
    assert bench.take([record._replace(timestamp=NOON + DAY - 1) for record in first_hour]) == []
