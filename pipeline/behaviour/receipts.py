"""Since when, and how, money comes in, and how often it went out in each way: what happens for the first time."""

from typing import Final

from mypy_extensions import mypyc_attr

from schemas.timestamps import MS_PER_HOUR
from schemas.transaction import TRANSACTION_TYPES

NEVER: Final = -1.0
_KINDS: Final = len(TRANSACTION_TYPES)
_LARGEST_COUNT: Final = 0xFFFF


@mypyc_attr(acyclic=True)
class Receipts:
    """First receipt (epoch ms, -1: none), how many, the last one's amount, and payments of each type so far."""

    __slots__ = ("by_kind", "received", "received_amount", "received_ms")

    def __init__(self) -> None:
        """Nothing yet."""
        self.received_ms = -1
        self.received = 0
        self.received_amount = 0
        self.by_kind = [0] * _KINDS

    def look(self, at_ms: int, amount: int, kind: int) -> tuple[float, float, float, float]:
        """Four figures, of what was before this payment of the type with index `kind`.

        Hours since the first receipt (`NEVER` without one), receipts, how much of the last receipt this amount is,
        payments of this type.
        """
        return (
            NEVER if self.received_ms < 0 else (at_ms - self.received_ms) / MS_PER_HOUR,
            float(self.received),
            amount / self.received_amount if self.received_amount else NEVER,
            float(self.by_kind[kind]),
        )

    def receive(self, at_ms: int, amount: int) -> None:
        """Count money that came in."""
        if self.received_ms < 0:
            self.received_ms = at_ms
        self.received += 1
        self.received_amount = amount

    def learn(self, kind: int) -> None:
        """Count a payment in."""
        count = self.by_kind[kind]
        if count < _LARGEST_COUNT:
            self.by_kind[kind] = count + 1
