# ruff: noqa: A005 - nothing here is imported but by its full name
"""Windows of event time: which entries count at a moment, and until when an entry goes on counting.

A window is two pure functions of epoch milliseconds. `start(t)` is the first moment that still counts at `t`; it never
moves back as `t` grows. `end(t)` is the first moment after `t` at which an entry at `t` no longer counts.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.zones import EPOCH_DAY, first_moment, load_zone, local_ms
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE

QUARTER_MS: Final = 15 * MS_PER_MINUTE
_MINUTES_PER_DAY = 24 * 60
# Years of days and nights; beyond it they are looked up again.
_SPANS_KEPT = 4_096


class Window(ABC):
    """What a limit looks back over. `name` is unique within a calendar."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def start(self, t: int) -> int | None:
        """First moment (included) that counts at `t`; None where the window does not apply at `t`."""

    @abstractmethod
    def end(self, t: int) -> int:
        """First moment after `t` at which an entry at `t` no longer counts; `t` itself if it never counts."""


class RollingWindow(Window):
    """The last `length_ms` milliseconds, exactly: (t - length, t]."""

    def __init__(self, name: str, length_ms: int) -> None:
        super().__init__(name)
        self._length_ms = length_ms

    def start(self, t: int) -> int:
        """First moment that counts at `t`."""
        return t - self._length_ms + 1

    def end(self, t: int) -> int:
        """First moment at which an entry at `t` no longer counts."""
        return t + self._length_ms


class BucketedWindow(Window):
    """The last `length_ms` milliseconds, widened to the start of the quarter-hour in which they begin."""

    def __init__(self, name: str, length_ms: int) -> None:
        super().__init__(name)
        self._reach_ms = length_ms - 1

    def start(self, t: int) -> int:
        """First moment that counts at `t`: the start of a quarter-hour."""
        first = t - self._reach_ms
        return first - first % QUARTER_MS

    def end(self, t: int) -> int:
        """First moment at which the whole quarter-hour of `t` no longer counts."""
        return t - t % QUARTER_MS + QUARTER_MS + self._reach_ms


class _Span:
    """A stretch of time, `begin` included, `end` not, that counts as one or, like the hours between nights, never."""

    def __init__(self, begin: int, end: int, *, counts: bool) -> None:
        self.begin = begin
        self.end = end
        self.counts = counts


class SpanWindow(Window):
    """A window that is one whole span of the local calendar so far. To find a span is slow, so they are kept."""

    def __init__(self, name: str, zone: ZoneInfo) -> None:
        super().__init__(name)
        self._zone = zone
        self._hot = _Span(0, 0, counts=False)
        self._begins: list[int] = []
        self._spans: list[_Span] = []  # by their begin; they do not overlap

    def start(self, t: int) -> int | None:
        """First moment of the span that holds `t`; None where `t` lies in none."""
        span = self._hot
        if not span.begin <= t < span.end:
            span = self._span(t)
        return span.begin if span.counts else None

    def end(self, t: int) -> int:
        """First moment after the span that holds `t`; `t` where `t` lies in none."""
        span = self._hot
        if not span.begin <= t < span.end:
            span = self._span(t)
        return span.end if span.counts else t

    def _span(self, t: int) -> _Span:
        self._hot = self._known(t) or self._learn(t)
        return self._hot

    def _known(self, t: int) -> _Span | None:
        at = bisect_right(self._begins, t)
        return self._spans[at - 1] if at > 0 and t < self._spans[at - 1].end else None

    def _learn(self, t: int) -> _Span:
        if len(self._spans) >= _SPANS_KEPT:
            self._begins.clear()
            self._spans.clear()
        span = self._find(t)
        at = bisect_right(self._begins, span.begin)
        self._begins.insert(at, span.begin)
        self._spans.insert(at, span)
        return span

    @abstractmethod
    def _find(self, t: int) -> _Span:
        """The span that holds `t`."""

    def _day_of(self, t: int) -> int:
        """Ordinal of the latest local date that had begun by `t` (a clock set back over midnight does not undo it)."""
        day = local_ms(t, self._zone) // MS_PER_DAY + EPOCH_DAY
        return day + 1 if first_moment(day + 1, 0, self._zone) <= t else day


class DayWindow(SpanWindow):
    """The local calendar day so far."""

    def _find(self, t: int) -> _Span:
        day = self._day_of(t)
        begin = first_moment(day, 0, self._zone)
        end = first_moment(day + 1, 0, self._zone)
        return _Span(begin, end, counts=True)


class MonthWindow(SpanWindow):
    """The local calendar month so far."""

    def _find(self, t: int) -> _Span:
        first = date.fromordinal(self._day_of(t)).replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        begin = first_moment(first.toordinal(), 0, self._zone)
        return _Span(begin, first_moment(following.toordinal(), 0, self._zone), counts=True)


class NightWindow(SpanWindow):
    """The local night so far, from `from_min` to `to_min` minutes after midnight; it may pass midnight."""

    def __init__(self, name: str, zone: ZoneInfo, from_min: int, to_min: int) -> None:
        super().__init__(name, zone)
        self._from_min = from_min
        self._to_min = to_min if to_min >= from_min else to_min + _MINUTES_PER_DAY

    def _find(self, t: int) -> _Span:
        evening = self._day_of(t) - 2
        while True:
            morning = first_moment(evening, self._to_min, self._zone)
            evening += 1
            begin = first_moment(evening, self._from_min, self._zone)
            if t < begin:
                return _Span(morning, begin, counts=False)
            end = first_moment(evening, self._to_min, self._zone)
            if t < end:
                return _Span(begin, end, counts=True)


class Calendar:
    """All windows of one time zone, which is read from the tzdata package and never from the machine.

    Raises:
        UnknownZoneError: the package has no zone of this name.

    """

    def __init__(self, zone: str) -> None:
        self._zone = load_zone(zone)
        self._windows: dict[str, Window] = {
            "1h": RollingWindow("1h", MS_PER_HOUR),
            "24h": RollingWindow("24h", MS_PER_DAY),
            "7d": BucketedWindow("7d", 7 * MS_PER_DAY),
            "30d": BucketedWindow("30d", 30 * MS_PER_DAY),
            "day": DayWindow("day", self._zone),
            "month": MonthWindow("month", self._zone),
        }

    def window(self, name: str) -> Window:
        """Return the window of this name: always the same object, so that what it has looked up is shared.

        Raises:
            KeyError: there is no such window.

        """
        return self._windows[name]

    def night(self, from_min: int, to_min: int) -> Window:
        """Return the night window between two local times, in minutes after midnight; none lasts if they are equal.

        Raises:
            ValueError: a time lies outside the day.

        """
        if not (0 <= from_min < _MINUTES_PER_DAY and 0 <= to_min <= _MINUTES_PER_DAY):
            raise ValueError(f"a night from minute {from_min} to minute {to_min} is not within a day")
        name = f"night {from_min}-{to_min}"
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = NightWindow(name, self._zone, from_min, to_min)
        return window
