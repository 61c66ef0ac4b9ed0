"""What a customer with 100,000 transactions a day costs, shuffled within lateness, with reversals and duplicates."""

from collections.abc import Iterator
from random import Random
from typing import Any

from load_tests.alone import Alone
from pipeline.policy.load import default_yaml, load_policy
from pipeline.record import InputRecord
from schemas.codec import encode
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms, parse_ms
from schemas.transaction import Transaction

_START_MS = parse_ms("2026-03-02T00:00:00Z")
_REVERSED = 0.05
_TWICE = 0.05
_BATCH = 500
_SMALL = 1_000


def busy(transactions: int, seed: int) -> dict[str, Any]:
    """Return the cost per transaction of a customer with so many a day, against one with a thousand a day."""
    policy = load_policy(default_yaml())
    rng = Random(seed)

    # As many records are measured on both sides, each time the second half of a day.
    small = Alone(policy)
    measured_small = 0
    small_seconds = 0.0
    small_bytes = 0
    for number in range(max(1, transactions // 4 // _SMALL)):
        day = list(_day(rng, f"small-{number}", _SMALL))
        _feed(small, day[: len(day) // 2])
        small.restart_watch()
        _feed(small, day[len(day) // 2 :])
        measured_small += len(day) - len(day) // 2
        small_seconds += small.cpu_seconds
        small_bytes += small.written_bytes

    big = Alone(policy)
    day = list(_day(rng, "busy", transactions))
    _feed(big, day[:-measured_small])
    big.restart_watch()
    _feed(big, day[-measured_small:])
    first_hour = next(each for each in day if each.timestamp < _START_MS + MS_PER_HOUR)
    found_again = not big.take([first_hour._replace(timestamp=day[-1].timestamp, offset=len(day))])
    small_us = small_seconds / measured_small * 1e6
    big_us = big.cpu_seconds / measured_small * 1e6
    return {
        "transactions": transactions,
        "records": len(day),
        "microseconds_at_1000": round(small_us, 2),
        "microseconds_at_the_end": round(big_us, 2),
        "ratio": round(big_us / small_us, 2),
        "state_bytes_largest_record": big.largest_record_bytes,
        "state_bytes_written_per_transaction_at_1000": round(small_bytes / measured_small),
        "state_bytes_written_per_transaction_at_the_end": round(big.written_bytes / measured_small),
        "duplicate_of_the_first_hour_found": found_again,
    }


def _feed(alone: Alone, records: list[InputRecord]) -> None:
    for first in range(0, len(records), _BATCH):
        alone.take(records[first : first + _BATCH])


def _day(rng: Random, customer_id: str, count: int) -> Iterator[InputRecord]:
    """Yield a day's records by arrival: each up to almost 24 h after it occurred, though the day ends with the last."""
    arrivals: list[tuple[int, bytes]] = []
    for number in range(count):
        occurred_ms = _START_MS + rng.randrange(MS_PER_DAY)
        payment = Transaction(
            transaction_id=f"{customer_id}-{number}",
            customer_id=customer_id,
            occurred_at=format_ms(occurred_ms),
            amount=int(rng.lognormvariate(8.2, 0.9)),
            currency="USD",
            transaction_type="purchase",
            source="card-network",
            merchant_id=f"merchant-{rng.randrange(500)}",
        )
        arrives_ms = rng.randrange(occurred_ms, _START_MS + MS_PER_DAY)
        arrivals.append((arrives_ms, encode(payment)))
        if rng.random() < _TWICE:
            arrivals.append((rng.randrange(arrives_ms, _START_MS + MS_PER_DAY), encode(payment)))
        if rng.random() < _REVERSED:
            reversal = Transaction(
                transaction_id=f"{customer_id}-{number}-back",
                customer_id=customer_id,
                occurred_at=format_ms(arrives_ms),
                amount=payment.amount // rng.choice((1, 2)),
                currency="USD",
                transaction_type="reversal",
                source="card-network",
                original_transaction_id=payment.transaction_id,
                original_occurred_at=payment.occurred_at,
            )
            arrivals.append((arrives_ms, encode(reversal)))
    arrivals.sort(key=lambda arrival: arrival[0])
    for offset, (at_ms, value) in enumerate(arrivals):
        yield InputRecord("transactions", 0, offset, at_ms, customer_id.encode(), value)
