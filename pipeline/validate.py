"""The first look at a transaction's bytes: either all that judging needs, or a named reason why it cannot be judged.

The order of the checks decides the reason only: decode, validate, card number, partition, time (duplicate and rate
follow in `assess`, where the customer is known).
"""

from typing import Final

from msgspec.structs import astuple

from pipeline.cards import card_like_ids, holds_card, mask_value, may_hold_card
from pipeline.currencies import EXPONENTS
from pipeline.partitioning import belongs_to
from pipeline.record import Record
from schemas.codec import Undecodable, decode_transaction
from schemas.decision import Lane
from schemas.reasons import DeadLetterReason as Reason
from schemas.shape import has_control_characters
from schemas.timestamps import parse_ms
from schemas.transaction import LARGEST_AMOUNT, TRANSACTION_TYPES, Location, Transaction

LONGEST_SOURCE: Final = 128
# The end of 9998: whatever may occur before or after such an arrival can be written, too.
LATEST_ARRIVAL_MS: Final = 253_370_764_799_999
_BACKSLASH: Final = 0x5C
_CARD: Final = "a card number outside the id fields"
# What stands in another module is looked up by its name, and these are asked of each transaction.
_LARGEST_AMOUNT: Final[int] = LARGEST_AMOUNT
_CURRENCIES: Final = frozenset(EXPONENTS)
_fields_of: Final = astuple
REVERSAL: Final = TRANSACTION_TYPES.index("reversal")
TYPE_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(TRANSACTION_TYPES)}


class Rejected:
    """Why a record goes to the dead letters; `detail` names the place, never the value."""

    __slots__ = ("detail", "reason")

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the reason as a value."""
        self.reason = reason
        self.detail = detail


class Intake:
    """A transaction fit to be judged. Times are epoch milliseconds; `amount_minor` is in the transaction's currency.

    Its fields stand here, because to ask a message for one costs more than it looks. `quotable` says that no text in it
    needs an escape where JSON quotes it; `tier` is the rank of the tier in force, known when it is judged, and `row`
    are the features that a model is asked about, where one is, `digest` that of the state then, where it is known.
    """

    __slots__ = (
        "account_id", "amount_minor", "arrived_ms", "base_currency", "base_minor", "card_like_ids", "card_token",
        "channel", "country", "currency", "customer_id", "declined", "device_id", "digest", "ip_address", "key",
        "lane", "location", "mcc", "merchant_id", "occurred_at", "occurred_ms", "original_ms", "original_occurred_at",
        "original_transaction_id", "payee_id", "quotable", "row", "source", "terminal_id", "tier", "transaction_id",
        "type_index", "unknown_fields",
    )  # fmt: skip
    transaction_id: str
    customer_id: str
    occurred_at: str
    amount_minor: int
    currency: str
    source: str
    original_transaction_id: str
    original_occurred_at: str
    account_id: str
    card_token: str
    payee_id: str
    merchant_id: str
    terminal_id: str
    device_id: str
    channel: str
    mcc: str
    country: str
    location: Location | None
    ip_address: str

    def __init__(self, transaction: Transaction, lane: Lane, arrived_ms: int, unknown_fields: int) -> None:
        """Keep what was read; what must be worked out first follows: `base_minor` when the rate is known."""
        (
            self.transaction_id, self.customer_id, self.occurred_at, self.amount_minor, self.currency,
            transaction_type, self.source, status, self.original_transaction_id, self.original_occurred_at,
            self.channel, self.account_id, self.card_token, self.payee_id, self.merchant_id, self.mcc,
            self.terminal_id, self.device_id, _, self.country, self.location, _, _, self.ip_address,
        ) = _fields_of(transaction)  # fmt: skip
        self.type_index = TYPE_INDEX[transaction_type]
        self.declined = status != "authorised"
        self.lane = lane
        self.arrived_ms = arrived_ms
        self.unknown_fields = unknown_fields
        self.key = b""
        self.quotable = False
        self.tier = 0
        self.occurred_ms = 0
        self.original_ms = 0
        self.base_minor = self.amount_minor
        self.base_currency = self.currency
        self.card_like_ids = 0
        self.row = b""
        self.digest = ""


def validate(
    record: Record,
    lane: Lane,
    lateness_ms: int,
    skew_ms: int,
    base_currency: str,
    partitions: int | None,
    *,
    suspect: bool,
) -> Intake | Rejected:
    """Read one record of a transaction topic. `partitions` is None where partitions mean nothing, as in a replay.

    The policy's are `lateness_ms` and `skew_ms`: how long before, and after its arrival a transaction may occur; and
    `base_currency`, which most have.
    `suspect` is what the `glance` said of its value.
    """
    value = record.value or b""
    try:
        transaction, unknown_fields = decode_transaction(value, suspect=suspect)
    except Undecodable as error:
        return Rejected(error.reason, error.detail)
    intake = Intake(transaction, lane, record.timestamp, unknown_fields)
    intake.quotable = not suspect or _BACKSLASH not in value
    if not intake.source:
        source = _source(record)
        if isinstance(source, Rejected):
            return source
        intake.source = source
    key = intake.key = record.key or b""
    rejected = _check_key(key, intake.customer_id) or _misfit(intake, base_currency) or _read_times(intake)
    if rejected is not None:
        return rejected
    if suspect and may_hold_card(value):
        if holds_card(transaction, value, unknown_fields):
            return Rejected(Reason.CARD_NUMBER, _CARD)
        intake.card_like_ids = card_like_ids(transaction)
    if partitions is not None and not belongs_to(key, record.partition, partitions):
        return _misplaced(partitions)
    late_ms = intake.arrived_ms - intake.occurred_ms
    if not -skew_ms <= late_ms <= lateness_ms:
        return _out_of_time(late_ms, lateness_ms, skew_ms)
    return intake


def _out_of_time(late_ms: int, lateness_ms: int, skew_ms: int) -> Rejected:
    if late_ms > lateness_ms:
        return Rejected(Reason.TOO_LATE, f"arrived {late_ms} ms after it occurred; the policy allows {lateness_ms}")
    return Rejected(Reason.FROM_THE_FUTURE, f"occurred {-late_ms} ms after its arrival; the policy allows {skew_ms}")


def check_key(record: Record, customer_id: str, partitions: int | None) -> Rejected | None:
    """Whether the record's key is its customer and, where `partitions` is known, stands on the customer's partition."""
    key = record.key or b""
    rejected = _check_key(key, customer_id)
    if rejected is None and partitions is not None and not belongs_to(key, record.partition, partitions):
        return _misplaced(partitions)
    return rejected


def check_body(record: Record, customer_id: str, partitions: int | None) -> Rejected | None:
    """Whether a record is the key's customer's, holds no card number, and stands where it belongs: in this order."""
    rejected = check_key(record, customer_id, None)
    if rejected is None and mask_value(record.value or b"")[1]:
        rejected = Rejected(Reason.CARD_NUMBER, _CARD)
    return rejected or check_key(record, customer_id, partitions)


def _check_key(key: bytes, customer_id: str) -> Rejected | None:
    if not key:
        return Rejected(Reason.EMPTY_KEY, "the record's key must be the customer_id")
    if key != customer_id.encode():
        return Rejected(Reason.KEY_MISMATCH, "the record's key is not the customer_id of the body")
    return None


def _misplaced(partitions: int) -> Rejected:
    return Rejected(Reason.WRONG_PARTITION, f"not the murmur2 partition of its key among {partitions}")


def _misfit(intake: Intake, base_currency: str) -> Rejected | None:
    """What is well formed and still no transaction."""
    amount = intake.amount_minor
    if amount < 0:
        return Rejected(Reason.NEGATIVE_AMOUNT, "$.amount; a reversal is a message of its own type")
    if amount > _LARGEST_AMOUNT:
        return Rejected(Reason.ABSURD_AMOUNT, f"$.amount is above {LARGEST_AMOUNT} minor units")
    if intake.currency != base_currency and intake.currency not in _CURRENCIES:
        return Rejected(Reason.UNKNOWN_CURRENCY, "$.currency is not an ISO 4217 code in use")
    if intake.type_index == REVERSAL and not intake.original_transaction_id:
        return Rejected(Reason.MISSING_FIELD, "$.original_transaction_id: a reversal names what it reverses")
    return None


def _read_times(intake: Intake) -> Rejected | None:
    try:
        intake.occurred_ms = parse_ms(intake.occurred_at)
        if intake.original_occurred_at:
            intake.original_ms = parse_ms(intake.original_occurred_at)
    except ValueError:
        return Rejected(Reason.BAD_TIME, "not an RFC 3339 time with an offset, or one that does not exist")
    return None


def _source(record: Record) -> str | Rejected:
    """The processor as its CloudEvents header names it: held to what the field `source` is held to."""
    for name, value in record.headers:
        if name == "ce_source" and value:
            try:
                source = value.decode()
            except UnicodeDecodeError:
                return Rejected(Reason.NOT_UTF8, "the header `ce_source`")
            if len(source) > LONGEST_SOURCE:
                return Rejected(Reason.FIELD_TOO_LONG, f"the header `ce_source`: more than {LONGEST_SOURCE} characters")
            if has_control_characters(source):
                return Rejected(Reason.BAD_VALUE, "the header `ce_source`: a control character")
            return source
    return Rejected(Reason.MISSING_FIELD, "neither `source` nor the header `ce_source`")


def check_arrival(arrived_ms: int) -> Rejected | None:
    """Whether a record's own time can be told: the log's clock, or the processor's where history is loaded."""
    if 0 <= arrived_ms <= LATEST_ARRIVAL_MS:
        return None
    return Rejected(Reason.BAD_TIME, "the record's timestamp lies outside the years 1970 to 9998")
