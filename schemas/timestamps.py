"""Times on the wire: RFC 3339 in (any offset and precision), `Z` and three digits out; in memory, epoch ms."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64  # an int, which compiled code keeps in a register

MS_PER_SECOND: Final = 1_000
MS_PER_MINUTE: Final = 60_000
MS_PER_HOUR: Final = 3_600_000
MS_PER_DAY: Final = 86_400_000

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIRST_MS: Final = (date.min.toordinal() - _EPOCH_DAY) * MS_PER_DAY
_LAST_MS: Final = (date.max.toordinal() - _EPOCH_DAY + 1) * MS_PER_DAY - 1
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)

# Almost every time on the wire has one of two shapes, and lies in the hour of the one before: hours are remembered, the
# rest is read digit by digit, and whatever does not fit goes to the full parser. To be written, pieces are looked up.
_ZERO: Final = 0x30
_POINT: Final = 0x2E
_COLON: Final = 0x3A
_Z: Final = 0x5A
# Greater than any number that is made of digits here.
_NO_NUMBER: Final = 10_000
_MINUTES_TEXT: Final = [f"{m:02d}:" for m in range(60)]
_SECONDS_TEXT: Final = [f"{s:02d}." for s in range(60)]
_MILLIS_TEXT: Final = [f"{ms:03d}Z" for ms in range(1000)]


_HOURS_KEPT: Final = 4096
_hour_of_text: Final[dict[str, int]] = {}
_text_of_hour: Final[dict[int, str]] = {}


class _Latest:
    """The hour last read or written: since the epoch, and as text up to its colon."""

    __slots__ = ("hour",)

    def __init__(self) -> None:
        self.hour: tuple[int, str] = (0, "1970-01-01T00:")  # one tuple, so that no thread sees halves of two hours


_latest: Final = _Latest()


def parse_ms(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time, cut (not rounded) to the millisecond.

    Raises:
        ValueError: the text is not an RFC 3339 time, or names a day or an hour that does not exist.

    """
    hour, begins = _latest.hour
    if not text.startswith(begins):
        begins = text[:14]
        known = _hour_of_text.get(begins)
        if known is None:
            return _parse_any(text)
        hour = known
        _latest.hour = (hour, begins)
    in_hour = _in_hour(text)
    return hour * MS_PER_HOUR + in_hour if in_hour >= 0 else _parse_any(text)


def _in_hour(text: str) -> i64:
    """Milliseconds since the text's hour began; -1 where it is neither `…T10:00:00.000Z` nor `…T10:00:00Z`."""
    length = len(text)
    ms: i64 = 0
    if length == 24:  # noqa: PLR2004
        last: i64 = ord(text[22]) - _ZERO
        if ord(text[19]) != _POINT or ord(text[23]) != _Z or not 0 <= last <= 9:  # noqa: PLR2004
            return -1
        ms = _two_digits(text, 20) * 10 + last
    elif length != 20 or ord(text[19]) != _Z:  # noqa: PLR2004
        return -1
    minute: i64 = _two_digits(text, 14)
    second: i64 = _two_digits(text, 17)
    if ord(text[16]) != _COLON or minute >= 60 or second >= 60 or ms >= 1000:  # noqa: PLR2004
        return -1
    return (minute * 60 + second) * MS_PER_SECOND + ms


def _two_digits(text: str, at: i64) -> i64:
    tens: i64 = ord(text[at]) - _ZERO
    ones: i64 = ord(text[at + 1]) - _ZERO
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else _NO_NUMBER  # noqa: PLR2004


def _parse_any(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        message = "not an RFC 3339 time with an offset"
        raise ValueError(message)
    year, month, day, hour, minute, second, fraction, _, sign, offset_h, offset_m = match.groups()
    if sign and (int(offset_h) > 23 or int(offset_m) > 59):  # noqa: PLR2004
        message = "an offset that does not exist"
        raise ValueError(message)
    offset_minutes = (int(offset_h) * 60 + int(offset_m)) * (-1 if sign == "-" else 1) if sign else 0
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    day_ms = (moment.toordinal() - _EPOCH_DAY) * MS_PER_DAY
    in_day = (moment.hour * 3600 + moment.minute * 60 + moment.second) * MS_PER_SECOND
    ms = day_ms + in_day + int((fraction or "0")[:3].ljust(3, "0")) - offset_minutes * MS_PER_MINUTE
    if not _FIRST_MS <= ms <= _LAST_MS:
        message = "in UTC it lies outside the years 1 to 9999"
        raise ValueError(message)
    if not sign and text[10] == "T":
        if len(_hour_of_text) >= _HOURS_KEPT:
            _hour_of_text.clear()
        _hour_of_text[text[:14]] = ms // MS_PER_HOUR
    return ms


def format_ms(ms: int) -> str:
    """RFC 3339 text of epoch milliseconds, in UTC: `2026-11-22T10:00:00.000Z`.

    Raises:
        ValueError: the moment lies outside the years 1 to 9999.

    """
    # Not divmod: compiled, it is slow.
    hour, begins = _latest.hour
    in_hour = ms - hour * MS_PER_HOUR
    if not 0 <= in_hour < MS_PER_HOUR:
        hour, in_hour = ms // MS_PER_HOUR, ms % MS_PER_HOUR
        begins = _text_of_hour.get(hour) or _write_hour(hour)
        _latest.hour = (hour, begins)
    second = in_hour // 1000
    return f"{begins}{_MINUTES_TEXT[second // 60]}{_SECONDS_TEXT[second % 60]}{_MILLIS_TEXT[in_hour % 1000]}"


def _write_hour(hour: int) -> str:
    if len(_text_of_hour) >= _HOURS_KEPT:
        _text_of_hour.clear()
    text = _text_of_hour[hour] = f"{date.fromordinal(hour // 24 + _EPOCH_DAY).isoformat()}T{hour % 24:02d}:"
    return text


def rewrite(text: str, ms: int) -> str:
    """What `format_ms(ms)` says, given the text that `ms` was read from: most processors write times as we do."""
    return text if len(text) == 24 and text[10] == "T" and text[23] == "Z" else format_ms(ms)  # noqa: PLR2004


def from_datetime(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime, cut to the millisecond."""
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)  # noqa: UP017
