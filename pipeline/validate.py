"""The first look at a transaction's bytes: either all that judging needs, or a named reason why it cannot be judged.

The order of the checks decides the reason only: decode, validate, card number, partition, time (duplicate and rate
follow in `assess`, where the customer is known).
"""

from typing import Final

from pipeline.cards import card_like_ids, holds_card, may_hold_card
from pipeline.currencies import EXPONENTS
from pipeline.partitioning import belongs_to
from pipeline.record import Record
from schemas.codec import Undecodable, decode_transaction
from schemas.decision import Lane
from schemas.reasons import DeadLetterReason as Reason
from schemas.shape import has_control_characters
from schemas.timestamps import parse_ms
from schemas.transaction import LARGEST_AMOUNT, TRANSACTION_TYPES, Transaction

LONGEST_SOURCE: Final = 128
# The end of 9998: whatever may occur before or after such an arrival can be written, too.
LATEST_ARRIVAL_MS: Final = 253_370_764_799_999
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
    """A transaction fit to be judged. Times are epoch milliseconds; `amount_minor` is in the transaction's currency."""

    __slots__ = (
        "amount_minor", "arrived_ms", "base_currency", "base_minor", "card_like_ids", "declined", "lane", "occurred_ms",
        "original_ms", "source", "transaction", "transaction_id", "type_index", "unknown_fields",
    )  # fmt: skip

    def __init__(
        self,
        transaction: Transaction,
        source: str,
        occurred_ms: int,
        arrived_ms: int,
        lane: Lane,
        unknown_fields: int,
    ) -> None:
        """Keep what was read; `base_minor` follows when the rate is known."""
        self.transaction = transaction
        self.transaction_id = transaction.transaction_id
        self.source = source
        self.occurred_ms = occurred_ms
        self.arrived_ms = arrived_ms
        self.lane = lane
        self.unknown_fields = unknown_fields
        self.type_index = TYPE_INDEX[transaction.transaction_type]
        self.declined = transaction.status == "declined"
        self.amount_minor = transaction.amount
        self.base_minor = self.amount_minor
        self.base_currency = transaction.currency
        self.original_ms = 0
        self.card_like_ids = 0


def validate(record: Record, lane: Lane, lateness_ms: int, skew_ms: int, partitions: int | None) -> Intake | Rejected:
    """Read one record of a transaction topic. `partitions` is None where partitions mean nothing, as in a replay.

    `lateness_ms` and `skew_ms` are the policy's: how long before, and after its arrival a transaction may occur.
    """
    value = record.value or b""
    try:
        transaction, unknown_fields = decode_transaction(value)
    except Undecodable as error:
        return Rejected(error.reason, error.detail)
    source = transaction.source or _source(record)
    if isinstance(source, Rejected):
        return source
    rejected = check_key(record, transaction.customer_id, None) or _misfit(transaction)
    if rejected is not None:
        return rejected
    try:
        occurred_ms = parse_ms(transaction.occurred_at)
        original_ms = parse_ms(transaction.original_occurred_at) if transaction.original_occurred_at else 0
    except ValueError:
        return Rejected(Reason.BAD_TIME, "not an RFC 3339 time with an offset, or one that does not exist")
    suspect = may_hold_card(value)
    if suspect and holds_card(transaction, value, unknown_fields):
        return Rejected(Reason.CARD_NUMBER, "a card number outside the id fields")
    arrived_ms = record.timestamp
    rejected = _check_partition(record, partitions)
    if rejected is None and not -skew_ms <= arrived_ms - occurred_ms <= lateness_ms:
        rejected = _out_of_time(arrived_ms - occurred_ms, lateness_ms, skew_ms)
    if rejected is not None:
        return rejected
    intake = Intake(transaction, source, occurred_ms, arrived_ms, lane, unknown_fields)
    intake.original_ms = original_ms
    if suspect:
        intake.card_like_ids = card_like_ids(transaction)
    return intake


def _out_of_time(late_ms: int, lateness_ms: int, skew_ms: int) -> Rejected:
    if late_ms > lateness_ms:
        return Rejected(Reason.TOO_LATE, f"arrived {late_ms} ms after it occurred; the policy allows {lateness_ms}")
    return Rejected(Reason.FROM_THE_FUTURE, f"occurred {-late_ms} ms after its arrival; the policy allows {skew_ms}")


def check_key(record: Record, customer_id: str, partitions: int | None) -> Rejected | None:
    """Whether the record's key is its customer and, where `partitions` is known, stands on the customer's partition."""
    key = record.key
    if not key:
        return Rejected(Reason.EMPTY_KEY, "the record's key must be the customer_id")
    if key != customer_id.encode():
        return Rejected(Reason.KEY_MISMATCH, "the record's key is not the customer_id of the body")
    return _check_partition(record, partitions)


def _check_partition(record: Record, partitions: int | None) -> Rejected | None:
    if partitions is not None and not belongs_to(record.key or b"", record.partition, partitions):
        return Rejected(Reason.WRONG_PARTITION, f"not the murmur2 partition of its key among {partitions}")
    return None


def _misfit(transaction: Transaction) -> Rejected | None:
    """What is well formed and still no transaction."""
    amount = transaction.amount
    if amount < 0:
        return Rejected(Reason.NEGATIVE_AMOUNT, "$.amount; a reversal is a message of its own type")
    if amount > LARGEST_AMOUNT:
        return Rejected(Reason.ABSURD_AMOUNT, f"$.amount is above {LARGEST_AMOUNT} minor units")
    if transaction.currency not in EXPONENTS:
        return Rejected(Reason.UNKNOWN_CURRENCY, "$.currency is not an ISO 4217 code in use")
    if transaction.transaction_type == "reversal" and not transaction.original_transaction_id:
        return Rejected(Reason.MISSING_FIELD, "$.original_transaction_id: a reversal names what it reverses")
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


def check_arrival(record: Record) -> Rejected | None:
    """Whether the record's own time can be told: the log's clock, or the processor's where history is loaded."""
    if 0 <= record.timestamp <= LATEST_ARRIVAL_MS:
        return None
    return Rejected(Reason.BAD_TIME, "the record's timestamp lies outside the years 1970 to 9998")
