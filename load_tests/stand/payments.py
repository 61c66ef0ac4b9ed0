"""Purchases for measurements that care where and when they come, not what the rules make of them."""

from collections.abc import Iterable, Iterator
from random import Random

import msgspec

from load_tests.stand.rounds import Load
from load_tests.stand.stand import Stand
from pipeline.partitioning import partition_of
from pipeline.record import InputRecord
from schemas.codec import encode
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms
from schemas.transaction import Transaction

_START_MS = parse_ms("2026-03-01T00:00:00Z")
HOT = "hot"


class _Body(msgspec.Struct):
    transaction_id: str


_BODY = msgspec.json.Decoder(_Body)


def load(at: Stand, records: Iterable[InputRecord]) -> Load:
    """Publish payments, and say which decision of each partition comes last."""
    every = list(records)
    last = {partition_of(record.key or b"", at.partitions): record for record in every}
    at.load(every)
    return Load(len(every), {number: _transaction_id(record) for number, record in last.items()})


def _transaction_id(record: InputRecord) -> bytes:
    return msgspec.json.encode(_BODY.decode(record.value or b"").transaction_id)


def purchases(count: int, customers: int, seed: int, *, hot_share: float = 0.0) -> Iterator[InputRecord]:
    """Yield `count` purchases of one day by their times; `hot_share` of them are one customer's."""
    rng = Random(seed)
    for number in range(count):
        hot = rng.random() < hot_share
        customer = HOT if hot else f"customer-{rng.randrange(customers)}"
        yield purchase(f"p-{seed}-{number}", customer, _START_MS + number * MS_PER_DAY // count, rng)


def purchase(transaction_id: str, customer_id: str, at_ms: int, rng: Random) -> InputRecord:
    """Return one purchase, arriving when it occurred."""
    payment = Transaction(
        transaction_id=transaction_id,
        source="card-network",
        customer_id=customer_id,
        occurred_at=format_ms(at_ms),
        amount=int(rng.lognormvariate(7.5, 0.8)),
        currency="USD",
        transaction_type="purchase",
        card_token=f"card-{customer_id}",
        merchant_id=f"merchant-{rng.randrange(5_000)}",
        mcc="5411",
        terminal_id=f"terminal-{rng.randrange(20_000)}",
        country="US",
    )
    return InputRecord("transactions", 0, 0, at_ms, customer_id.encode(), encode(payment))


def customer_of(partition: int, partitions: int) -> str:
    """Return a customer who belongs to a partition."""
    number = 0
    while partition_of(f"probe-{number}".encode(), partitions) != partition:
        number += 1
    return f"probe-{number}"
