"""What the judging oracle remembers: every payment of a customer as it was told, and what reversals left of it."""

from dataclasses import dataclass, field
from datetime import UTC
from decimal import ROUND_FLOOR, Context, Decimal
from functools import cache
from typing import Any

from tests.laws.oracle import moment_of, to_datetime

HOUR = 3_600_000
# By contract: a transaction is known for so long after it occurred, and is kept singly at least as long.
KNOWN = 48 * HOUR
EXACT = Context(prec=60)
ZERO = Decimal(0)
CONTENT = (
    *("customer_id", "amount", "currency", "transaction_type", "original_transaction_id", "account_id", "card_token"),
    *("payee_id", "merchant_id", "terminal_id", "device_id"),
)


@dataclass(eq=False)
class Payment:
    """One that was decided. `base`: its worth on arrival, 0 if declined; `back`: when how much was reversed."""

    moment: int
    id: str
    source: str
    kind: str
    declined: bool
    currency: str
    amount: Decimal
    base: Decimal
    content: dict[str, Any]
    back: list[tuple[int, Decimal]] = field(default_factory=list)

    def reversed_by(self, at: int) -> Decimal:
        return min(sum((amount for since, amount in self.back if since <= at), ZERO), self.amount)

    def worth(self, at: int) -> Decimal:
        if not self.back or not self.amount:
            return self.base
        share = EXACT.divide(EXACT.multiply(self.base, self.reversed_by(at)), self.amount)
        return self.base - share.quantize(Decimal(1), ROUND_FLOOR, EXACT)


@dataclass
class Customer:
    payments: list[Payment] = field(default_factory=list)
    payees: dict[str, int] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)
    alerted: dict[str, tuple[int, int]] = field(default_factory=dict)
    frozen: bool = False

    def known(self, source: str, transaction_id: str, arrival: int) -> Payment | None:
        same = [each for each in self.payments if (each.source, each.id) == (source, transaction_id)]
        return same[-1] if same and arrival - same[-1].moment <= KNOWN else None


def reverse(customer: Customer, own: Payment, original_id: str, arrival: int) -> dict[str, Any]:
    """At each moment all reversals until then give back their sum, at most the whole; a share of it, rounded down."""
    original = customer.known(own.source, original_id, arrival)
    if original is None:
        return {"result": "unknown_original", "given_back_minor": 0}
    if original.kind == "reversal" or original.declined or own.declined:
        return {"result": "not_reversible", "given_back_minor": 0}
    if original.currency != own.currency:
        return {"result": "other_currency", "given_back_minor": 0}
    since = max(own.moment, original.moment)
    if not own.amount or original.reversed_by(since) == original.amount:
        return {"result": "nothing_left", "given_back_minor": 0}
    before = original.worth(since)
    original.back.append((since, own.amount))
    return {"result": "applied", "given_back_minor": int(before - original.worth(since))}


def content_of(told: dict[str, Any]) -> dict[str, Any]:
    original_at = told.get("original_occurred_at")
    return {
        **{name: told.get(name, "") for name in CONTENT},
        "status": told.get("status", "authorised"),
        "occurred_at": moment_of(told["occurred_at"]),
        "original_occurred_at": moment_of(original_at) if original_at else None,
    }


def see(seen: dict[str, int], entity: str, moment: int) -> None:
    if entity:
        seen[entity] = min(moment, seen.get(entity, moment))


@cache
def stamp(ms: int) -> str:
    return to_datetime(ms).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
