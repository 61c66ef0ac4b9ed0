"""Bytes to messages and back. What cannot be read is named: never a guess, never a value of the message in the detail.

Where a JSON object names a field twice, a transaction's last one counts, as with nearly every JSON reader; all other
inputs are refused, because what is signed must have one meaning.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, Never, TypeVar

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder, Encoder

from schemas.customer_event import CustomerEvent
from schemas.disposition import Disposition
from schemas.entity_label import EntityLabel
from schemas.entity_risk import EntityRisk
from schemas.list_entry import ListEntry
from schemas.model_file import ModelFile
from schemas.policy_event import PolicyEvent
from schemas.rate import Rate
from schemas.reasons import DeadLetterReason as Reason
from schemas.shape import FREE_TEXT, Shape, Unfit, has_control_characters
from schemas.transaction import Location, Transaction

MAX_DEPTH = 32
# Kafka refuses more; a replay, which could carry more, shall agree with it.
MAX_BYTES = 1024 * 1024

T = TypeVar("T")


class Undecodable(ValueError):  # noqa: N818 - named as the dead letter it becomes
    """The bytes are not a message of their topic; `detail` names the place."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the reason as a value: it becomes a header and a metric's label."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Decoded(NamedTuple, Generic[T]):
    """A message, its fields as received (what a signature covers), and how many of them nobody knows."""

    message: T
    fields: dict[str, Any]
    unknown_fields: int


_encode: Final = Encoder().encode
_ANYTHING = Decoder()
_RAW_FIELDS = Decoder(dict[str, Raw])
_decode_transaction: Final = Decoder(Transaction).decode
_TRANSACTION_FIELDS = frozenset(Transaction.__struct_fields__)
_LOCATION_FIELDS = frozenset(Location.__struct_fields__)
_ONE_LINE_FIELDS = tuple(
    name for name in Transaction.__struct_fields__ if name not in FREE_TEXT and name not in {"amount", "location"}
)

# Possessive, and content with a string that never ends: linear in whatever is thrown at it.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_CURLY_TO_SQUARE = bytes.maketrans(b"{}", b"[]")
_BACKSLASH, _DEL = b"\\\x7f"
_MAY_HOLD_CONTROL = re.compile(rb"\\(?:[bfnrt]|u00(?:[01]|7[fF]))|\x7f")

_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `(.*)`)?")
_PLACE = re.compile(r"(.*?)(?: - at `(.*)`)?", re.DOTALL)


def encode(message: Struct) -> bytes:
    """The JSON bytes of an outgoing message; the same message always gives the same bytes."""
    return _encode(message)


def quoted(text: str) -> str:
    """How a text stands in an outgoing message."""
    return _encode(text).decode()


def decode_transaction(value: bytes, *, suspect: bool = True) -> tuple[Transaction, int]:
    """A transaction, and how many unknown fields it carries, those of its location included.

    It is not `suspect` where its bytes are known to hold no escape and no DEL: then no text needs a search for them.

    Raises:
        Undecodable: the bytes are not a transaction.

    """
    try:
        transaction, unknown = _decode_transaction(value), 0
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        transaction, unknown = _look_again(value, error)
    # JSON cannot hold a control character but by an escape, DEL excepted: two scans at memory speed settle most.
    # For an int, `in` is a plain memchr: five times faster than for the same byte as bytes.
    if suspect and (_BACKSLASH in value or _DEL in value) and _MAY_HOLD_CONTROL.search(value):
        for name in _ONE_LINE_FIELDS:
            if has_control_characters(getattr(transaction, name)):
                raise Undecodable(Reason.BAD_VALUE, f"$.{name}: a control character")
    return transaction, unknown


def decode_customer_event(value: bytes) -> Decoded[CustomerEvent]:
    """A customer event.

    Raises:
        Undecodable: the bytes are not one of the known customer events.

    """
    return _decode(_CUSTOMER_EVENT, value)


def decode_policy_event(value: bytes) -> Decoded[PolicyEvent]:
    """A policy event; whether its YAML is a policy is another question.

    Raises:
        Undecodable: the bytes are not one of the known policy events.

    """
    return _decode(_POLICY_EVENT, value)


def decode_rate(value: bytes) -> Decoded[Rate]:
    """A dated exchange rate, above zero and below 10^12.

    Raises:
        Undecodable: the bytes are not a rate.

    """
    return _decode(_RATE, value)


def decode_list_entry(value: bytes) -> Decoded[ListEntry]:
    """An entry of the deny list or the watch list.

    Raises:
        Undecodable: the bytes are not an entry.

    """
    return _decode(_LIST_ENTRY, value)


def decode_model_file(value: bytes) -> Decoded[ModelFile]:
    """A model with its card.

    Raises:
        Undecodable: the bytes are not that.

    """
    return _decode(_MODEL_FILE, value)


def decode_entity_risk(value: bytes) -> Decoded[EntityRisk]:
    """What labels teach about an entity.

    Raises:
        Undecodable: the bytes are not that.

    """
    return _decode(_ENTITY_RISK, value)


def decode_entity_label(value: bytes) -> Decoded[EntityLabel]:
    """A label on its way to an entity.

    Raises:
        Undecodable: the bytes are none.

    """
    return _decode(_ENTITY_LABEL, value)


def decode_disposition(value: bytes) -> Decoded[Disposition]:
    """A label for either a transaction or an alert.

    Raises:
        Undecodable: the bytes are not a disposition, or it is not clear of what.

    """
    decoded = _decode(_DISPOSITION, value)
    label = decoded.message
    if label.alert_id and label.transaction_id:
        raise Undecodable(Reason.BAD_VALUE, "$: `alert_id` and `transaction_id` exclude each other")
    if not label.alert_id and not (label.transaction_id and label.source):
        raise Undecodable(Reason.MISSING_FIELD, "$: either `alert_id`, or `transaction_id` and its `source`")
    return decoded


def undecodable(value: bytes, error: Exception) -> Undecodable:
    """Why a decoder of msgspec did not take these bytes, which raised `error`."""
    try:
        _check_syntax(value, _checked_text(value))
    except Undecodable as found:
        return found
    return _misfit(error) if isinstance(error, ValidationError) else Undecodable(Reason.NOT_JSON, "not to be read")


class _Kind(Generic[T]):
    """How one kind of event is read: made once."""

    def __init__(self, decode: Callable[[bytes], T], of: Any) -> None:  # noqa: ANN401 - a union is no type
        self.decode = decode
        self.shape = Shape(of)


_CUSTOMER_EVENT: _Kind[CustomerEvent] = _Kind(Decoder(CustomerEvent).decode, CustomerEvent)
_POLICY_EVENT: _Kind[PolicyEvent] = _Kind(Decoder(PolicyEvent).decode, PolicyEvent)
_LIST_ENTRY: _Kind[ListEntry] = _Kind(Decoder(ListEntry).decode, ListEntry)
_ENTITY_LABEL: _Kind[EntityLabel] = _Kind(Decoder(EntityLabel).decode, EntityLabel)
_ENTITY_RISK: _Kind[EntityRisk] = _Kind(Decoder(EntityRisk).decode, EntityRisk)
_MODEL_FILE: _Kind[ModelFile] = _Kind(Decoder(ModelFile).decode, ModelFile)
_RATE: _Kind[Rate] = _Kind(Decoder(Rate).decode, Rate)
_DISPOSITION: _Kind[Disposition] = _Kind(Decoder(Disposition).decode, Disposition)


def _decode(kind: _Kind[T], value: bytes) -> Decoded[T]:
    """Events are few: each is read with all checks, and into plain fields for its signature."""
    text = _checked_text(value)
    _check_syntax(value, text)
    fields = json.loads(text, object_pairs_hook=_distinct)
    try:
        message = kind.decode(value)
    except ValidationError as error:
        raise _misfit(error) from None
    try:
        unknown = kind.shape.check(fields)
    except Unfit as error:
        raise Undecodable(error.reason, error.detail) from None
    return Decoded(message, fields, unknown)


def _look_again(value: bytes, error: Exception) -> tuple[Transaction, int]:
    """Either the fields we know make a transaction, or the reason is found, whichever field came first."""
    text = _checked_text(value)
    if isinstance(error, ValidationError) and str(error).endswith("out of range - at `$.amount`"):
        raise _misfit(error)
    whole = _check_syntax(value, text)
    if not isinstance(whole, dict):
        raise Undecodable(Reason.WRONG_TYPE, "$: expected an object")
    fields = _RAW_FIELDS.decode(value)
    known = {name: raw for name, raw in fields.items() if name in _TRANSACTION_FIELDS}
    unknown = len(fields) - len(known)
    location = whole.get("location")
    if isinstance(location, dict):
        places = _RAW_FIELDS.decode(known["location"])
        known_places = {name: raw for name, raw in places.items() if name in _LOCATION_FIELDS}
        unknown += len(places) - len(known_places)
        known["location"] = Raw(_encode(known_places))
    try:
        transaction = _decode_transaction(_encode(known))
    except ValidationError as misfit:
        raise _misfit(misfit, whole.get("currency")) from None
    if len(value) > MAX_BYTES:
        raise Undecodable(Reason.FIELD_TOO_LONG, f"unknown fields beyond {MAX_BYTES} bytes")
    return transaction, unknown


def _checked_text(value: bytes) -> str:
    """The characters of a value that a JSON reader can safely be given."""
    if not value:
        raise Undecodable(Reason.EMPTY_VALUE, "the record has no value")
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise Undecodable(Reason.NOT_UTF8, f"byte {error.start}") from None
    if value.count(b"[") + value.count(b"{") > MAX_DEPTH and _too_deep(value):
        raise Undecodable(Reason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep")
    return text


def _too_deep(value: bytes) -> bool:
    """Whether brackets outside strings are nested too deep, at the speed of C: each pass peels the innermost off."""
    brackets = _STRING.sub(b"", value).translate(_CURLY_TO_SQUARE, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH


def _check_syntax(value: bytes, text: str) -> Any:  # noqa: ANN401 - any JSON value
    """What the text says, when all of it is JSON: a typed decoder skips unknown fields without reading them."""
    try:
        return _ANYTHING.decode(value)
    except ValidationError:
        raise Undecodable(Reason.BAD_VALUE, "a number that no double can hold") from None
    except DecodeError as error:
        detail = str(error).removeprefix("JSON is malformed: ").lower()
    try:
        json.loads(text, parse_constant=_refuse, parse_int=len, parse_float=len)
    except ValueError:
        raise Undecodable(Reason.NOT_JSON, detail) from None
    # The standard library's reader differs from msgspec's in one thing only.
    raise Undecodable(Reason.BAD_VALUE, "half of a surrogate pair: no Unicode text")


def _refuse(constant: str) -> Never:
    raise ValueError(constant)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Undecodable(Reason.BAD_VALUE, "an object names a field twice")
    return fields


def _misfit(error: ValidationError, currency: object = None) -> Undecodable:
    """The reason behind a decoder's message, without the value that some of its messages quote."""
    message = str(error)
    if missing := _MISSING.fullmatch(message):
        return Undecodable(Reason.MISSING_FIELD, f"{missing[2] or '$'}.{missing[1]}")
    parts = _PLACE.fullmatch(message)
    said, place = (parts[1], parts[2] or "$") if parts else ("", "$")
    if said.startswith("Invalid"):
        if place.endswith(".event_type"):
            return Undecodable(Reason.UNKNOWN_EVENT_TYPE, f"{place}: this version does not know it")
        return Undecodable(Reason.BAD_VALUE, f"{place}: not one of the values that the schema names")
    if said.endswith("out of range"):
        if place == "$.amount":
            absurd = said.startswith("Integer")
            return Undecodable(Reason.ABSURD_AMOUNT if absurd else Reason.WRONG_TYPE, f"{place}: {said.lower()}")
        return Undecodable(Reason.BAD_VALUE, f"{place}: a number out of range")
    detail = f"{place}: {said[:1].lower()}{said[1:]}"
    if " of length " in said:
        if place == "$.currency" and isinstance(currency, str) and len(currency) <= 128:  # noqa: PLR2004 - as other names
            return Undecodable(Reason.UNKNOWN_CURRENCY, detail)
        return Undecodable(Reason.FIELD_TOO_LONG if "<=" in said else Reason.BAD_VALUE, detail)
    if " matching " in said or " <= " in said or " >= " in said:
        return Undecodable(Reason.BAD_VALUE, detail)
    return Undecodable(Reason.WRONG_TYPE, detail)
