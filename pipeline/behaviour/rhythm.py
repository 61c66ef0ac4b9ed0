"""At which hours a customer pays, and since when."""

from typing import Final

from mypy_extensions import mypyc_attr

HOURS: Final = 24
_FADE_AT: Final = 255


@mypyc_attr(acyclic=True)
class Rhythm:
    """Payments per hour of the day, fading; when the first and the latest were, epoch ms, -1 without one."""

    __slots__ = ("first_ms", "hours", "known", "latest_ms")

    def __init__(self) -> None:
        """Nothing yet."""
        # In bytes, as they are written; none comes to more before it fades.
        self.hours = bytearray(HOURS)
        self.known = 0
        self.first_ms = -1
        self.latest_ms = -1

    def share(self, hour: int) -> float:
        """The share of payments on this hour of the day or its neighbours; 1 while fewer than 24 are known."""
        known = self.known
        if known < HOURS:
            return 1.0
        hours = self.hours
        return (hours[hour - 1] + hours[hour] + hours[(hour + 1) % HOURS]) / known

    def learn(self, at_ms: int, hour: int) -> None:
        """Count a payment in; what is older fades, so that a habit can change."""
        if self.first_ms < 0:
            self.first_ms = at_ms
        self.latest_ms = max(self.latest_ms, at_ms)
        hours = self.hours
        hours[hour] = hours[hour] + 1
        self.known += 1
        if self.known >= _FADE_AT:
            self.hours = bytearray([hours[each] // 2 for each in range(HOURS)])
            self.known = sum(self.hours)
