"""Local time: zones read from the tzdata package and never from the machine, and what their clocks show when."""

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from schemas.timestamps import MS_PER_DAY, MS_PER_MINUTE

EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class UnknownZoneError(ValueError):
    """The tzdata package has no time zone of this name."""


def load_zone(name: str) -> ZoneInfo:
    """Read one time zone of the tzdata package.

    Raises:
        UnknownZoneError: the package has no zone of this name.

    """
    package = files("tzdata")
    if name not in package.joinpath("zones").read_text("ascii").split():
        raise UnknownZoneError(f"unknown time zone {name!r}; use a name such as Europe/Berlin or UTC")
    with package.joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def first_moment(day: int, minute: int, zone: ZoneInfo) -> int:
    """Return the first moment at which local clocks read `minute` minutes after midnight of `day` (ordinal), or later.

    Where the clock shows that time twice it is the first of them; where it is skipped, the moment of the jump.
    """
    wall = datetime.fromordinal(day) + timedelta(minutes=minute)
    wall_ms = (day - EPOCH_DAY) * MS_PER_DAY + minute * MS_PER_MINUTE
    earlier = wall_ms - _offset_ms(wall.replace(fold=1), zone)
    moment = wall_ms - _offset_ms(wall, zone)
    if earlier >= moment:
        return moment
    # The offset before a jump places the skipped time after it, and the offset after the jump places it before.
    while moment - earlier > 1:
        middle = (earlier + moment) // 2
        if local_ms(middle, zone) >= wall_ms:
            moment = middle
        else:
            earlier = middle
    return moment


def local_ms(t: int, zone: ZoneInfo) -> int:
    """What local clocks read at `t`, as milliseconds since they would have read the epoch."""
    local = (_EPOCH + t * _MS).astimezone(zone)
    return (local.replace(tzinfo=UTC) - _EPOCH) // _MS


def _offset_ms(wall: datetime, zone: ZoneInfo) -> int:
    offset = zone.utcoffset(wall.replace(tzinfo=zone))
    assert offset is not None  # noqa: S101 - a ZoneInfo knows the offset of every datetime
    return offset // _MS
