"""What a transaction processor publishes: one message for each transaction, on either lane."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Identifier = Annotated[str, Meta(min_length=1, max_length=128, description="An opaque id.")]
Text = Annotated[str, Meta(max_length=1024)]
ShortText = Annotated[str, Meta(max_length=128)]
Timestamp = Annotated[
    str,
    Meta(
        max_length=64,
        description="RFC 3339; in: any offset and precision, cut to milliseconds; out: `Z` and three digits.",
        extra_json_schema={"format": "date-time"},
    ),
]
CurrencyCode = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=3,
        description="ISO 4217, upper case.",
        extra_json_schema={"pattern": "^[A-Z]{3}$"},
    ),
]
# Bounds that are told, and checked where their breach has a name of its own.
LARGEST_AMOUNT = 999_999_999_999_999
AmountMinor = Annotated[
    int,
    Meta(
        description="Minor units of the currency; direction is told by the type.",
        extra_json_schema={"minimum": 0, "maximum": LARGEST_AMOUNT},
    ),
]

TransactionType = Literal["purchase", "transfer", "withdrawal", "deposit", "refund", "reversal", "fee", "other"]
# State and policy refer to a type by its place here: append only, never reorder.
TRANSACTION_TYPES: tuple[TransactionType, ...] = (
    "purchase",
    "transfer",
    "withdrawal",
    "deposit",
    "refund",
    "reversal",
    "fee",
    "other",
)
Status = Literal["authorised", "declined"]


class Location(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the transaction took place, in degrees (WGS 84)."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class Transaction(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One transaction as its processor saw it. `amount` is an integer of minor units (cents), never negative.

    A reversal is a message with its own `transaction_id`, the `original_transaction_id`, `original_occurred_at` and the
    amount given back. `source` may stand in the `ce_source` header instead.
    """

    transaction_id: Identifier
    customer_id: Identifier
    occurred_at: Timestamp
    amount: AmountMinor
    currency: CurrencyCode
    transaction_type: TransactionType
    source: ShortText = ""
    status: Status = "authorised"
    original_transaction_id: Annotated[str, Meta(max_length=128)] = ""
    original_occurred_at: Annotated[str, Meta(max_length=64, extra_json_schema={"format": "date-time"})] = ""
    channel: ShortText = ""
    account_id: ShortText = ""
    card_token: ShortText = ""
    payee_id: ShortText = ""
    merchant_id: ShortText = ""
    mcc: ShortText = ""
    terminal_id: ShortText = ""
    device_id: ShortText = ""
    ip_country: ShortText = ""
    country: ShortText = ""
    location: Location | None = None
    authentication: ShortText = ""
    description: Text = ""
    ip_address: Annotated[str, Meta(max_length=45, description="Where the customer was connected from.")] = ""


# Two messages with one identity and the same content here are one transaction told twice; other content is a conflict.
CONTENT_FIELDS = (
    "customer_id",
    "occurred_at",
    "amount",
    "currency",
    "transaction_type",
    "status",
    "original_transaction_id",
    "original_occurred_at",
    "account_id",
    "card_token",
    "payee_id",
    "merchant_id",
    "terminal_id",
    "device_id",
)
# In these a long number is an identifier, so one that passes for a card number is counted, not refused.
ID_FIELDS = frozenset(
    {
        "transaction_id",
        "source",
        "customer_id",
        "original_transaction_id",
        "account_id",
        "card_token",
        "payee_id",
        "merchant_id",
        "terminal_id",
        "device_id",
    }
)
# Where people and processors write freely. Times and codes with a fixed form are checked for that form instead.
TEXT_FIELDS = ("channel", "mcc", "ip_country", "country", "authentication", "description", "ip_address")
