"""Records as JSON Lines, both ways: what `replay` reads and what it writes. `docs/replay.md` is the contract.

A value's bytes are the characters that stand in its line, so what a processor sent survives down to its white space.
"""

import base64
import binascii
from typing import NamedTuple

from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, ValidationError
from msgspec.json import Decoder, Encoder

from console.json_text import is_json, is_one_json_value, members
from pipeline.record import InputRecord, Message
from pipeline.validate import LATEST_ARRIVAL_MS
from schemas.timestamps import parse_ms
from schemas.topics import TRANSACTION_TOPICS

_POLICIES, _DEAD_LETTERS = "policies", "dead-letters"


class Clock(NamedTuple):
    """A line that moves time: what is due by then is announced before the next line."""

    now_ms: int


class NotARecord(NamedTuple):
    """A line that is neither a record nor a clock: `record` carries the whole line, `detail` says what is wrong."""

    record: InputRecord
    detail: str


class _Line(Struct, forbid_unknown_fields=True):
    topic: str | UnsetType = UNSET
    value: Raw | UnsetType = UNSET
    value_base64: str | UnsetType = UNSET
    tombstone: bool = False
    key: str | UnsetType | None = UNSET
    headers: dict[str, str] = {}
    timestamp: int | str | UnsetType = UNSET
    clock: int | str | UnsetType = UNSET


class _TolerantLine(_Line, forbid_unknown_fields=False):
    pass


class _Payment(Struct, forbid_unknown_fields=True, gc=False):
    """A line as nearly all are."""

    topic: str
    value: Raw
    timestamp: int
    key: str | UnsetType = UNSET


class _Payer(Struct, gc=False):
    customer_id: str


class _Own(Struct):
    """What a message says about itself, whatever its type."""

    customer_id: object = None
    occurred_at: object = None
    policy: object = None
    currency: object = None
    date: object = None
    list: object = None
    kind: object = None
    value: object = None
    model: object = None

    def key(self, topic: str) -> str | None:
        """The key that its topic asks for, None where it does not say."""
        if topic == "rates" and isinstance(self.currency, str) and isinstance(self.date, str):
            return f"{self.currency}/{self.date}"
        if topic == "lists" and all(isinstance(part, str) for part in (self.list, self.kind, self.value)):
            return f"{self.list}/{self.kind}/{self.value}"
        if topic == "models" and isinstance(self.model, str):
            return self.model
        if topic == "entity-risk" and isinstance(self.kind, str) and isinstance(self.value, str):
            return f"{self.kind}/{self.value}"
        name = self.policy if topic == _POLICIES else self.customer_id
        return name if isinstance(name, str) else None


class _BadLineError(ValueError):
    """What is wrong with a line; never quotes it, for it may hold personal data."""


class LineReader:
    """Reads lines in order: gives each its number as offset, from 1, and knows the latest time seen."""

    def __init__(self) -> None:
        self.lines = 0
        # Members that nobody knows are tolerated, but never silently: a misspelt `timestamp` would change the story.
        self.lines_with_unknown_members = 0
        self._latest_ms = 0
        self._clock_ms = 0
        self._decode = Decoder(_Line).decode
        self._decode_tolerantly = Decoder(_TolerantLine).decode
        self._own = Decoder(_Own).decode
        self._payment = Decoder(_Payment).decode
        self._payer = Decoder(_Payer).decode

    def read(self, line: bytes) -> InputRecord | Clock | NotARecord:
        """One line, without its line feed; bad input is a value, never an exception."""
        self.lines += 1
        payment = self._read_payment(line)
        if payment is not None:
            return payment
        try:
            parsed = self._parse(line)
            if parsed.clock is not UNSET:
                return self._clock(parsed, parsed.clock)
            return self._record(parsed)
        except UnicodeDecodeError:
            detail = "not UTF-8; bytes that are no text go into `value_base64`"
        except RecursionError:
            detail = "nested too deep, and not in `value`"
        except (ValidationError, DecodeError, _BadLineError) as error:
            detail = str(error)
        return NotARecord(InputRecord("", 0, self.lines, self._latest_ms, None, line), detail)

    def _read_payment(self, line: bytes) -> InputRecord | None:
        """A payment that has no more than it needs, at half the cost; None where somebody must look closer."""
        try:
            parsed = self._payment(line)
            if parsed.topic not in TRANSACTION_TOPICS or not 0 <= parsed.timestamp <= LATEST_ARRIVAL_MS:
                return None
            value = bytes(parsed.value)
            key = self._payer(value).customer_id if parsed.key is UNSET else parsed.key
        except (DecodeError, UnicodeDecodeError, RecursionError):
            return None
        self._latest_ms = max(self._latest_ms, parsed.timestamp)
        return InputRecord(parsed.topic, 0, self.lines, parsed.timestamp, key.encode(), value)

    def _parse(self, line: bytes) -> _Line:
        try:
            return self._members(line)
        except ValidationError:
            raise
        except (RecursionError, DecodeError):
            # JSON all the same: nested too deep for the decoder, or with half of a surrogate pair. Where that is in
            # `value`, it is the record that is bad and not the line.
            place = members(line).get("value")
            if place is None or not is_json(line):
                raise
            parsed = self._members(line[: place.start] + b"0" + line[place.stop :])
            parsed.value = Raw(line[place])
            return parsed

    def _members(self, line: bytes) -> _Line:
        try:
            return self._decode(line)
        except ValidationError as error:
            if "unknown field" not in str(error):
                raise
        parsed = self._decode_tolerantly(line)
        self.lines_with_unknown_members += 1
        return parsed

    def _clock(self, parsed: _Line, clock: int | str) -> Clock:
        if (parsed.topic, parsed.value, parsed.value_base64, parsed.tombstone) != (UNSET, UNSET, UNSET, False):
            raise _BadLineError("a line is a record or a clock, not both")
        now_ms = _moment(clock, "clock")
        if now_ms < self._clock_ms:
            raise _BadLineError("the clock goes back")
        self._clock_ms = now_ms
        self._latest_ms = max(self._latest_ms, now_ms)
        return Clock(now_ms)

    def _record(self, parsed: _Line) -> InputRecord:
        topic, key = parsed.topic, parsed.key
        if topic is UNSET:
            raise _BadLineError("neither a `topic` nor a `clock`")
        value = _value(parsed)
        if value is not None and (key is UNSET or parsed.timestamp is UNSET):
            own = self._about_itself(value)
        else:
            own = _NOTHING
        if parsed.timestamp is not UNSET:
            arrival_ms = _moment(parsed.timestamp, "timestamp")
        else:
            arrival_ms = self._own_time(own.occurred_at)
        if key is UNSET:
            key = own.key(topic)
        self._latest_ms = max(self._latest_ms, arrival_ms)
        headers = [(name, text.encode()) for name, text in parsed.headers.items()] if parsed.headers else ()
        return InputRecord(topic, 0, self.lines, arrival_ms, None if key is None else key.encode(), value, headers)

    def _about_itself(self, value: bytes) -> _Own:
        try:
            return self._own(value)
        except UnicodeDecodeError:
            return _NOTHING
        except (DecodeError, RecursionError):
            if not is_json(value):
                return _NOTHING
            told = {name: value[place] for name, place in members(value).items() if name in _Own.__struct_fields__}
            return _Own(**{name: _text(quoted) for name, quoted in told.items()})

    def _own_time(self, occurred_at: object) -> int:
        if isinstance(occurred_at, str):
            try:
                occurred_ms = parse_ms(occurred_at)
            except (ValueError, OverflowError):
                return self._latest_ms
            if 0 <= occurred_ms <= LATEST_ARRIVAL_MS:
                return occurred_ms
        return self._latest_ms


_NOTHING = _Own()
_decode_text = Decoder(str).decode


def _text(quoted: bytes) -> str | None:
    """A member's text, None where it is none: another type, bytes that are not UTF-8, half of a surrogate pair."""
    try:
        return _decode_text(quoted)
    except (DecodeError, UnicodeDecodeError):
        return None


def _moment(given: int | str, member: str) -> int:
    """Epoch milliseconds of a time in a line: RFC 3339 text or the number itself."""
    try:
        moment_ms = parse_ms(given) if isinstance(given, str) else given
    except (ValueError, OverflowError) as error:
        raise _BadLineError(f"`{member}`: {error}") from None
    if not 0 <= moment_ms <= LATEST_ARRIVAL_MS:
        raise _BadLineError(f"`{member}`: outside the years 1970 to 9998")
    return moment_ms


def _value(parsed: _Line) -> bytes | None:
    given = (parsed.value is not UNSET) + (parsed.value_base64 is not UNSET) + parsed.tombstone
    if given != 1:
        raise _BadLineError("a record has exactly one of `value`, `value_base64` and `tombstone: true`")
    if parsed.value is not UNSET:
        return bytes(parsed.value)
    if parsed.value_base64 is UNSET:
        return None
    try:
        return base64.b64decode(parsed.value_base64, validate=True)
    except (binascii.Error, ValueError):
        raise _BadLineError("`value_base64` is not base64") from None


_encode = Encoder().encode


def write_line(message: Message) -> bytes:
    """A message as one line, line feed included."""
    key = b"null" if message.key is None else _encode(message.key.decode())
    # `tw_` headers tell of a worker's day (stages, versions, first arrivals): no replay has one.
    headers = _encode({name: text.decode() for name, text in message.headers if not name.startswith("tw_")})
    value = message.value
    if value is None:
        member = b'"tombstone":true'
    elif message.topic != _DEAD_LETTERS or is_one_json_value(value):
        # Only dead letters carry bytes that we did not encode ourselves.
        member = b'"value":' + value
    else:
        member = b'"value_base64":"' + base64.b64encode(value) + b'"'
    return b'{"topic":%b,"key":%b,%b,"headers":%b}\n' % (_encode(message.topic), key, member, headers)
