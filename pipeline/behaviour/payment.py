"""What behaviour sees of a transaction."""

from typing import NamedTuple

from schemas.timestamps import parse_ms
from schemas.transaction import Transaction


class Payment(NamedTuple):
    """What a profile learns from: whose, when (epoch ms), how much (minor units), of what kind.

    `category` joins kind, merchant category and channel; `place` is where it is accepted (a terminal, else a merchant);
    `payee` whom it pays; empty where the transaction does not say. `comes_in` is money received, which is no spending.
    """

    account: str
    at_ms: int
    amount: int
    kind: str
    category: str
    place: str
    payee: str
    comes_in: bool


_INCOMING = frozenset({"deposit", "refund", "reversal"})


def payment_of(transaction: Transaction) -> Payment:
    """The payment of a transaction that the codec has accepted."""
    kind = transaction.transaction_type
    return Payment(
        transaction.customer_id,
        parse_ms(transaction.occurred_at),
        transaction.amount,
        kind,
        "/".join([part for part in (kind, transaction.mcc, transaction.channel) if part]),
        transaction.terminal_id or transaction.merchant_id,
        transaction.payee_id,
        kind in _INCOMING,
    )
