"""What windows hold, told the slow way: all of history, one entry after another, in Decimal. It shares no code."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LENGTHS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
ROLLING = ("1h", "24h")
WINDOWS = (*LENGTHS, "day", "month")


class Night(NamedTuple):
    """Minutes after local midnight."""

    from_min: int
    to_min: int


class Entry(NamedTuple):
    moment: int
    amount: Decimal
    ref: int


class GivenBack(NamedTuple):
    ref: int
    amount: Decimal
    since: int


@cache
def moment_of(text: str) -> int:
    return to_ms(datetime.fromisoformat(text))


def to_ms(moment: datetime) -> int:
    return int((moment - EPOCH) / timedelta(milliseconds=1))


def to_datetime(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


@cache
def zone_of(name: str) -> ZoneInfo:
    with (files("tzdata.zoneinfo") / name).open("rb") as data:
        return ZoneInfo.from_file(data)


@lru_cache(maxsize=200_000)
def wall(zone: str, moment: datetime) -> datetime:
    """What the clocks of a zone read, without the zone."""
    return moment.astimezone(zone_of(zone)).replace(tzinfo=None)


def quarter_of(moment: datetime) -> datetime:
    return moment - (moment - EPOCH) % QUARTER


def quarters(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin <= end:
        yield begin
        begin += QUARTER


def first_at_or_after(reading: datetime, zone: str) -> datetime:
    """Walk through the quarter-hours until the clocks of the zone read that much."""
    around = quarter_of(reading.replace(tzinfo=UTC))
    return next(q for q in quarters(around - timedelta(days=2), around + timedelta(days=2)) if wall(zone, q) >= reading)


@cache
def calendar_start(window: str | Night, quarter: datetime, zone: str) -> datetime | None:
    """Start of the window for all moments of one quarter-hour."""
    # The clocks may go back over midnight; the day that has begun is then not undone.
    latest = max(wall(zone, q) for q in quarters(quarter - timedelta(days=1), quarter))
    if window == "day":
        return first_at_or_after(datetime.combine(latest, time()), zone)
    if window == "month":
        return first_at_or_after(datetime.combine(latest.replace(day=1), time()), zone)
    assert isinstance(window, Night)
    length = timedelta(minutes=window.to_min - window.from_min) % timedelta(days=1)
    for back in range(-1, 3):
        evening = datetime.combine(date.fromordinal(latest.toordinal() - back), time())
        evening += timedelta(minutes=window.from_min)
        begin = first_at_or_after(evening, zone)
        if begin <= quarter < first_at_or_after(evening + length, zone):
            return begin
    return None


class Oracle:
    """Knows what has arrived, in that order, and recomputes everything each time it is asked."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.entries: list[Entry] = []
        self.given_back: list[GivenBack] = []

    def start(self, window: str | Night, t: int) -> int | None:
        moment = to_datetime(t)
        if isinstance(window, str) and window in LENGTHS:
            first = to_datetime(t + 1) - LENGTHS[window]
            return to_ms(first if window in ROLLING else quarter_of(first))
        first_of_window = calendar_start(window, quarter_of(moment), self.zone)
        return None if first_of_window is None else to_ms(first_of_window)

    def within(self, window: str | Night, t: int) -> list[Entry]:
        """Entries that count at `t`, by time, ties by arrival."""
        start = self.start(window, t)
        if start is None:
            return []
        return sorted((entry for entry in self.entries if start <= entry.moment <= t), key=lambda entry: entry.moment)

    def total(self, window: str | Night, t: int) -> tuple[Decimal, int]:
        inside = self.within(window, t)
        refs = {entry.ref for entry in inside}
        less = sum((given.amount for given in self.given_back if given.ref in refs and given.since <= t), Decimal(0))
        return sum((entry.amount for entry in inside), Decimal(0)) - less, len(inside)

    def first_breach(
        self, window: str | Night, t: int, amount: Decimal, limit: Decimal, *, counted: bool
    ) -> tuple[int, Decimal] | None:
        """Judge every later moment with and without the entry at `t`."""
        if self.start(window, t) is None:
            return None
        for later in sorted({entry.moment for entry in self.entries if entry.moment > t}):
            start = self.start(window, later)
            if start is None or start > t:
                continue
            before = Decimal(self.total(window, later)[counted])
            after = before + (1 if counted else amount)
            if before <= limit < after:
                return later, after
        return None
