"""What happened, counted as it happens and handed over by the batch: metrics are an agent's business."""

from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from typing import Final

from schemas.decision import Decision

# Upper bounds of the lateness histogram, ms: how long after it occurred a transaction arrived.
LATENESS_BOUNDS_MS: Final = (0, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000)

Name = tuple[str, ...]
Counts = dict[Name, int]

# Decisions are noted singly and counted together, which is a third of the work; no more of them wait than this.
_MOST_NOTED: Final = 10_000


class Tally:
    """Counts by name and label values; never a customer, a merchant or a transaction."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.counts: Counts = {}
        self.lateness = [0] * (len(LATENESS_BOUNDS_MS) + 1)
        self.lateness_sum_ms = 0
        self._decided: list[Name] = []
        self._sources: list[str] = []
        self._late_ms: list[int] = []

    def count(self, *name: str, by: int = 1) -> None:
        """Add to one count."""
        self.counts[name] = self.counts.get(name, 0) + by

    def decided(self, name: Name, source: str, late_ms: int) -> None:
        """Note a decision by its name, which processor sent its transaction, and how late that arrived."""
        self._decided.append(name)
        self._sources.append(source)
        self._late_ms.append(late_ms)
        if len(self._decided) >= _MOST_NOTED:
            self._add_up()

    def fired(self, decision: Decision) -> None:
        """Note what else stands on a decision that is not plain."""
        for signal in decision.signals:
            self.count("signals", signal.rule, signal.mode)
        for signal in decision.base_tier_signals:
            self.count("base_tier_signals", signal.rule)
        if decision.reversal is not None:
            self.count("reversals", decision.reversal.result)

    def drain(self) -> "Tally":
        """Everything counted since the last time; counting goes on from nothing."""
        self._add_up()
        drained = Tally()
        drained.counts, self.counts = self.counts, {}
        drained.lateness, self.lateness = self.lateness, drained.lateness
        drained.lateness_sum_ms, self.lateness_sum_ms = self.lateness_sum_ms, 0
        return drained

    def _add_up(self) -> None:
        for name, times in Counter(self._decided).items():
            self.counts[name] = self.counts.get(name, 0) + times
        for source, times in Counter(self._sources).items():
            self.count("transactions", source, by=times)
        late_ms = sorted(self._late_ms)
        upto = [0, *[bisect_right(late_ms, bound) for bound in LATENESS_BOUNDS_MS], len(late_ms)]
        self.lateness = [have + last - first for have, (first, last) in zip(self.lateness, pairwise(upto), strict=True)]
        # A clock ahead of ours counts as not late.
        self.lateness_sum_ms += sum(late_ms[upto[1] :])
        self._decided.clear()
        self._sources.clear()
        self._late_ms.clear()
