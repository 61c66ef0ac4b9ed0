"""Times on the wire: RFC 3339 in (any offset and precision), `Z` and three digits out; in memory, epoch ms."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

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

# Almost every time on the wire has one of two shapes: its day is looked up, the rest read digit by digit, and whatever
# does not fit goes to the full parser. To be written, all pieces are looked up.
_ZERO: Final = 0x30
_NINE: Final = 0x39
_POINT: Final = 0x2E
_COLON: Final = 0x3A
_T: Final = 0x54
_Z: Final = 0x5A
# Greater than any number that is made of digits here.
_NO_NUMBER: Final = 10_000
_HOURS_MINUTES_TEXT: Final = [f"T{m // 60:02d}:{m % 60:02d}:" for m in range(1440)]
_SECONDS_TEXT: Final = [f"{s:02d}." for s in range(60)]
_MILLIS_TEXT: Final = [f"{ms:03d}Z" for ms in range(1000)]
_DAYS_KEPT: Final = 4096
_day_of_text: Final[dict[str, int]] = {}
_text_of_day: Final[dict[int, str]] = {}


def parse_ms(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time, cut (not rounded) to the millisecond.

    Raises:
        ValueError: the text is not an RFC 3339 time, or names a day or an hour that does not exist.

    """
    day = _day_of_text.get(text[:10])
    if day is not None:
        in_day = _in_day(text)
        if in_day >= 0:
            return day + in_day
    return _parse_any(text)


def _in_day(text: str) -> int:
    """Milliseconds since the text's day began; -1 where it is neither `…T10:00:00.000Z` nor `…T10:00:00Z`."""
    length = len(text)
    if length == 24 and ord(text[19]) == _POINT and _ZERO <= ord(text[22]) <= _NINE:  # noqa: PLR2004
        ms = _two_digits(text, 20) * 10 + ord(text[22]) - _ZERO
    elif length == 20:  # noqa: PLR2004
        ms = 0
    else:
        return -1
    if ord(text[10]) != _T or ord(text[13]) != _COLON or ord(text[16]) != _COLON or ord(text[length - 1]) != _Z:
        return -1
    hour, minute, second = _two_digits(text, 11), _two_digits(text, 14), _two_digits(text, 17)
    if hour >= 24 or minute >= 60 or second >= 60 or ms >= 1000:  # noqa: PLR2004
        return -1
    return ((hour * 60 + minute) * 60 + second) * MS_PER_SECOND + ms


def _two_digits(text: str, at: int) -> int:
    tens, ones = ord(text[at]) - _ZERO, ord(text[at + 1]) - _ZERO
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
    if len(_day_of_text) >= _DAYS_KEPT:
        _day_of_text.clear()
    _day_of_text[text[:10]] = day_ms
    in_day = (moment.hour * 3600 + moment.minute * 60 + moment.second) * MS_PER_SECOND
    ms = day_ms + in_day + int((fraction or "0")[:3].ljust(3, "0")) - offset_minutes * MS_PER_MINUTE
    if not _FIRST_MS <= ms <= _LAST_MS:
        message = "in UTC it lies outside the years 1 to 9999"
        raise ValueError(message)
    return ms


def format_ms(ms: int) -> str:
    """RFC 3339 text of epoch milliseconds, in UTC: `2026-11-22T10:00:00.000Z`.

    Raises:
        ValueError: the moment lies outside the years 1 to 9999.

    """
    # Not divmod: compiled, it is the only thing here that is slow.
    day, rest = ms // MS_PER_DAY, ms % MS_PER_DAY
    text = _text_of_day.get(day)
    if text is None:
        text = date.fromordinal(day + _EPOCH_DAY).isoformat()
        if len(_text_of_day) >= _DAYS_KEPT:
            _text_of_day.clear()
        _text_of_day[day] = text
    minute, rest = rest // MS_PER_MINUTE, rest % MS_PER_MINUTE
    return f"{text}{_HOURS_MINUTES_TEXT[minute]}{_SECONDS_TEXT[rest // 1000]}{_MILLIS_TEXT[rest % 1000]}"


def rewrite(text: str, ms: int) -> str:
    """What `format_ms(ms)` says, given the text that `ms` was read from: most processors write times as we do."""
    return text if len(text) == 24 and text[10] == "T" and text[23] == "Z" else format_ms(ms)  # noqa: PLR2004


def from_datetime(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime, cut to the millisecond."""
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)  # noqa: UP017
