"""What happened, counted as it happens and handed over by the batch: metrics are an agent's business."""

from bisect import bisect_left
from typing import Final

from schemas.decision import Decision

# Upper bounds of the lateness histogram, ms: how long after it occurred a transaction arrived.
LATENESS_BOUNDS_MS: Final = (0, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000)

Counts = dict[tuple[str, ...], int]


class Tally:
    """Counts by name and label values; never a customer, a merchant or a transaction."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.counts: Counts = {}
        self.lateness = [0] * (len(LATENESS_BOUNDS_MS) + 1)
        self.lateness_sum_ms = 0

    def count(self, *name: str, by: int = 1) -> None:
        """Add to one count."""
        self.counts[name] = self.counts.get(name, 0) + by

    def decided(self, decision: Decision, late_ms: int) -> None:
        """Note a decision, and how late its transaction arrived; a clock ahead of ours counts as not late."""
        counts = self.counts
        name = ("decisions", decision.outcome, decision.tier)
        counts[name] = counts.get(name, 0) + 1
        for signal in decision.signals:
            self.count("signals", signal.rule, signal.mode)
        for signal in decision.base_tier_signals:
            self.count("base_tier_signals", signal.rule)
        if decision.reversal is not None:
            self.count("reversals", decision.reversal.result)
        self.lateness[bisect_left(LATENESS_BOUNDS_MS, late_ms)] += 1
        self.lateness_sum_ms += max(late_ms, 0)

    def drain(self) -> "Tally":
        """Everything counted since the last time; counting goes on from nothing."""
        drained = Tally()
        drained.counts, self.counts = self.counts, {}
        drained.lateness, self.lateness = self.lateness, drained.lateness
        drained.lateness_sum_ms, self.lateness_sum_ms = self.lateness_sum_ms, 0
        return drained
