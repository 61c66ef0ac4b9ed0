"""The spikes of the last 14 days: a card that has been stolen is used more than once."""

from typing import Final

from pipeline.behaviour.baseline import SPIKE
from schemas.timestamps import MS_PER_DAY

WINDOW_MS: Final = 14 * MS_PER_DAY
MOST: Final = 16
NEVER: Final = -1.0


class Spikes:
    """When, and how many times the usual: the newest `MOST` spikes, oldest first."""

    __slots__ = ("kept",)

    def __init__(self, kept: list[tuple[int, float]] | None = None) -> None:
        self.kept = kept or []

    def look(self, at_ms: int) -> tuple[float, float, float, float]:
        """Their number, the highest ratio, the sum of ratios, and days since the last one (`NEVER` without one)."""
        kept = self.kept
        while kept and kept[0][0] <= at_ms - WINDOW_MS:
            del kept[0]
        if not kept:
            return 0.0, 0.0, 0.0, NEVER
        ratios = [ratio for _, ratio in kept]
        return float(len(kept)), max(ratios), sum(ratios), (at_ms - kept[-1][0]) / MS_PER_DAY

    def learn(self, at_ms: int, ratio: float) -> None:
        """Remember a payment if it is a spike."""
        if ratio >= SPIKE:
            self.kept.append((at_ms, ratio))
            del self.kept[:-MOST]
