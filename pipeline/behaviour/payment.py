"""What behaviour sees of a transaction."""

from typing import Final, NamedTuple

from schemas.timestamps import parse_ms
from schemas.transaction import TRANSACTION_TYPES, Transaction

DEPOSIT: Final = TRANSACTION_TYPES.index("deposit")
_REFUND: Final = TRANSACTION_TYPES.index("refund")
_REVERSAL: Final = TRANSACTION_TYPES.index("reversal")
RETURNS: Final = frozenset({_REFUND, _REVERSAL})


class Payment(NamedTuple):
    """What a profile learns from: whose, when (epoch ms), how much (minor units), of which type (by its index).

    `place` is where it is accepted (a terminal, else a merchant), `payee` whom it pays; empty where the transaction
    does not say. `location` is latitude and longitude in degrees, WGS 84.
    """

    account: str
    at_ms: int
    amount: int
    kind: int
    category: str
    place: str
    payee: str
    country: str = ""
    location: tuple[float, ...] = ()


def comes_in(kind: int) -> bool:
    """Whether money of this type is received, which is no spending."""
    return kind == DEPOSIT


def gives_back(kind: int) -> bool:
    """Whether money of this type takes back a payment: it teaches nothing, for what was usual to pay stays usual."""
    return kind == _REFUND or kind == _REVERSAL  # noqa: PLR1714 - compiled, a set would be asked


def category_of(kind: int, mcc: str, channel: str) -> str:
    """What is paid for, and how, as far as the transaction says: the merchant's category, else the type; channel."""
    what = mcc or TRANSACTION_TYPES[kind]
    return f"{what}/{channel}" if channel else what


def payment_of(transaction: Transaction) -> Payment:
    """The payment of a transaction that the codec has accepted."""
    kind = TRANSACTION_TYPES.index(transaction.transaction_type)
    location = transaction.location
    return Payment(
        transaction.customer_id,
        parse_ms(transaction.occurred_at),
        transaction.amount,
        kind,
        category_of(kind, transaction.mcc, transaction.channel),
        transaction.terminal_id or transaction.merchant_id,
        transaction.payee_id,
        transaction.country,
        () if location is None else (location.lat, location.lon),
    )
