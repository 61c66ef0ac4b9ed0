"""How often and at which hours a customer pays."""

from typing import Final

from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

HOURS: Final = 24
MOST: Final = 64
_FADE_AT: Final = 256


class Rhythm:
    """Payments per hour of the day, and those of the last 24 hours (the newest `MOST`): when, and how much."""

    __slots__ = ("first_ms", "hours", "known", "recent")

    def __init__(
        self, hours: list[int] | None = None, recent: list[tuple[int, int]] | None = None, first_ms: int = -1
    ) -> None:
        self.hours = hours or [0] * HOURS
        self.known = sum(self.hours)
        self.recent = recent or []
        self.first_ms = first_ms

    def look(self, at_ms: int, hour: int) -> tuple[float, float, float, float, float]:
        """Payments of the last hour and of 24 hours, their sum, hours since the last (-1: none), share of the hour.

        The share of payments that fell on this hour of the day or its neighbours; 1 while fewer than 24 are known.
        """
        recent = self.recent
        while recent and recent[0][0] <= at_ms - MS_PER_DAY:
            del recent[0]
        known = self.known
        share = 1.0
        if known >= HOURS:
            hours = self.hours
            share = (hours[hour - 1] + hours[hour] + hours[(hour + 1) % HOURS]) / known
        if not recent:
            return 0.0, 0.0, 0.0, -1.0, share
        last_hour = 0
        for when, _ in reversed(recent):
            if when <= at_ms - MS_PER_HOUR:
                break
            last_hour += 1
        total = sum([amount for _, amount in recent])
        return float(last_hour), float(len(recent)), float(total), (at_ms - recent[-1][0]) / MS_PER_HOUR, share

    def learn(self, at_ms: int, hour: int, amount: int) -> None:
        """Count a payment in; what is older fades, so that a habit can change."""
        if self.first_ms < 0:
            self.first_ms = at_ms
        self.recent.append((at_ms, amount))
        del self.recent[:-MOST]
        self.hours[hour] += 1
        self.known += 1
        if self.known >= _FADE_AT:
            self.hours = [count // 2 for count in self.hours]
            self.known = sum(self.hours)
