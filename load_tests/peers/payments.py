"""The payments of the reduced rules: as many customers and as much time as give each 20 payments in 24 hours."""

from collections.abc import Iterator
from itertools import count
from random import Random

import msgspec

from pipeline.partitioning import partition_of
from pipeline.record import InputRecord

_START_MS = 1_767_225_600_000
_DAY_MS = 86_400_000
_A_DAY = 20
_PAYMENTS_EACH = 15
# Alone enough for two rules: the last payment of a partition always makes an alert.
_ALARMING = 1_000_000_000


class _Payment(msgspec.Struct):
    transaction_id: str
    customer_id: str
    currency: str
    merchant_id: str
    payee_id: str
    device_id: str
    country: str
    mcc: str
    channel: str
    kind: str
    amount: int
    event_time: int


class Payments:
    """An endless series, handed out in rounds of `each` payments; the same seed is the same series."""

    def __init__(self, each: int, partitions: int, seed: int) -> None:
        self._each = each
        self._customers = max(10, each // _PAYMENTS_EACH)
        self._step_ms = _DAY_MS // (_A_DAY * self._customers)
        self._rng = Random(seed)
        self._numbers = count()
        self._rounds = count()
        self._last = [
            next(key for each in count() if partition_of(key := b"last-%d" % each, partitions) == number)
            for number in range(partitions)
        ]

    def round(self) -> tuple[Iterator[InputRecord], dict[int, bytes]]:
        """Return the records of the next round, and what the last alert of each partition contains."""
        number = next(self._rounds)
        ids = {partition: f"round-{number}-{partition}" for partition in range(len(self._last))}
        return self._records(ids), {partition: f'"{each}"'.encode() for partition, each in ids.items()}

    def _records(self, last: dict[int, str]) -> Iterator[InputRecord]:
        rng = self._rng
        for _ in range(self._each - len(last)):
            customer = b"c%08d" % rng.randrange(self._customers)
            yield self._record(customer, f"tx-{next(self._numbers):012d}", rng.randrange(100, 500_000))
        for partition, transaction_id in last.items():
            yield self._record(self._last[partition], transaction_id, _ALARMING)

    def _record(self, customer: bytes, transaction_id: str, amount: int) -> InputRecord:
        rng = self._rng
        number = next(self._numbers)
        at_ms = _START_MS + number * self._step_ms
        payment = _Payment(
            transaction_id,
            customer.decode(),
            "USD",
            f"m{rng.randrange(1_000)}",
            f"p{rng.randrange(3_000)}",
            f"d{rng.randrange(5)}",
            "US",
            "5411",
            "app",
            "transfer",
            amount,
            at_ms,
        )
        return InputRecord("transactions", 0, 0, at_ms, customer, msgspec.json.encode(payment))
