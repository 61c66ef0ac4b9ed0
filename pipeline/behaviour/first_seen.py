"""What happens for the first time: the first money out after money came in, the first payment to a payee."""

from typing import Final

from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

MOST_PAYEES: Final = 64
_NEW_KEPT: Final = 16
NEVER: Final = -1.0


class FirstSeen:
    """First receipt, receipts so far, the last one's amount, payments of each kind so far, and the payees known."""

    __slots__ = ("by_kind", "new_at", "payees", "received", "received_amount", "received_ms")

    def __init__(self) -> None:
        self.received_ms = -1
        self.received = 0
        self.received_amount = 0
        self.by_kind: dict[str, int] = {}
        # In the order of their last use, the oldest first.
        self.payees: dict[str, None] = {}
        self.new_at: list[int] = []

    def look(self, at_ms: int, amount: int, kind: str, payee: str) -> tuple[float, float, float, float, float, float]:
        """Six figures, of what was before this payment.

        Hours since the first receipt (`NEVER` without one), receipts, how much of the last receipt this amount is,
        payments of this kind; 1 if the payee is new; new payees of the last 24 hours.
        """
        new_at = self.new_at
        while new_at and new_at[0] <= at_ms - MS_PER_DAY:
            del new_at[0]
        return (
            NEVER if self.received_ms < 0 else (at_ms - self.received_ms) / MS_PER_HOUR,
            float(self.received),
            amount / self.received_amount if self.received_amount else NEVER,
            float(self.by_kind.get(kind, 0)),
            1.0 if payee and payee not in self.payees else 0.0,
            float(len(new_at)),
        )

    def receive(self, at_ms: int, amount: int) -> None:
        """Count money that came in."""
        if self.received_ms < 0:
            self.received_ms = at_ms
        self.received += 1
        self.received_amount = amount

    def learn(self, at_ms: int, kind: str, payee: str) -> None:
        """Count a payment in."""
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
        if not payee:
            return
        if payee in self.payees:
            del self.payees[payee]
        else:
            self.new_at.append(at_ms)
            del self.new_at[:-_NEW_KEPT]
            if len(self.payees) >= MOST_PAYEES:
                del self.payees[next(iter(self.payees))]
        self.payees[payee] = None
