"""The spikes of the last 14 days: a card that has been stolen is used more than once."""

from typing import Final

from mypy_extensions import mypyc_attr

from pipeline.behaviour.baseline import SPIKE
from schemas.timestamps import MS_PER_DAY

WINDOW_MS: Final = 14 * MS_PER_DAY
MOST: Final = 16
NEVER: Final = -1.0
# Before every moment.
_LONG_AGO: Final = -(2**61)


@mypyc_attr(acyclic=True)
class Spikes:
    """When, and how many times the usual: the newest `MOST` spikes, in the order of their arrival."""

    __slots__ = ("_none_before_ms", "kept")

    def __init__(self) -> None:
        """None yet."""
        self.kept: list[tuple[int, float]] = []
        # No kept spike is older: most new ones need not look for some to forget.
        self._none_before_ms = _LONG_AGO

    def look(self, at_ms: int) -> tuple[float, float, float, float]:
        """Their number, the highest ratio, the sum of ratios, and days since the last one (`NEVER` without one)."""
        count, highest, strength, last_ms = 0, 0.0, 0.0, -1
        for when, ratio in self.kept:
            if at_ms - WINDOW_MS < when <= at_ms:
                count += 1
                strength += ratio
                highest = max(highest, ratio)
                last_ms = max(last_ms, when)
        return float(count), highest, strength, (at_ms - last_ms) / MS_PER_DAY if count else NEVER

    def has(self, at_ms: int) -> bool:
        """Whether a payment of that moment is kept as a spike."""
        return at_ms in [when for when, _ in self.kept]

    def learn(self, at_ms: int, ratio: float) -> None:
        """Remember a payment if it is a spike."""
        if ratio >= SPIKE:
            oldest = at_ms - WINDOW_MS
            if self._none_before_ms <= oldest:
                self.kept = [each for each in self.kept if each[0] > oldest]
                self._none_before_ms = min([each[0] for each in self.kept], default=at_ms)
            self._none_before_ms = min(self._none_before_ms, at_ms)
            if len(self.kept) >= MOST:
                del self.kept[: 1 - MOST]
            self.kept.append((at_ms, ratio))
