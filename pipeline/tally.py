"""What happened, counted as it happens and handed over by the batch: metrics are an agent's business."""

from collections.abc import Sequence
from typing import Final

from schemas.decision import Decision

# Upper bounds of the lateness histogram, ms: how long after it occurred a transaction arrived.
LATENESS_BOUNDS_MS: Final = (0, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000)
# Compiled, a list is asked faster.
_LATENESS_BOUNDS_MS: Final = list(LATENESS_BOUNDS_MS)

Name = tuple[str, ...]
Counts = dict[Name, int]


class Tally:
    """Counts by name and label values; never a customer, a merchant or a transaction."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.counts: Counts = {}
        self.lateness = [0] * (len(LATENESS_BOUNDS_MS) + 1)
        self.lateness_sum_ms = 0
        # How often each of `_names` happened that has not been added to `counts` yet, and what was moved then.
        self._names: Sequence[Name] = ()
        self._times: list[int] = []
        self._moved: list[int] = []
        # How many transactions of each source have not been added yet; of the last one, those in a row stand apart.
        self._sources: dict[str, int] = {}
        self._source = ""
        self._in_a_row = 0

    def count(self, *name: str, by: int = 1) -> None:
        """Add to one count."""
        self.counts[name] = self.counts.get(name, 0) + by

    def decided(self, names: Sequence[Name], index: int, source: str, late_ms: int, moved_minor: int) -> None:
        """Note a decision by its place among names that hardly ever change, its transaction's source and lateness.

        `moved_minor` is the money it is about, in minor units of the base currency.
        """
        if names is not self._names:
            self._add_up()
            self._names, self._times, self._moved = names, [0] * len(names), [0] * len(names)
        times, moved, lateness = self._times, self._moved, self.lateness  # compiled, `+=` on what a list holds is slow
        times[index] = times[index] + 1
        moved[index] = moved[index] + moved_minor
        if source != self._source:
            self._end_row(source)
        self._in_a_row += 1
        bucket = 0
        while bucket < len(_LATENESS_BOUNDS_MS) and late_ms > _LATENESS_BOUNDS_MS[bucket]:
            bucket += 1
        lateness[bucket] = lateness[bucket] + 1
        if late_ms > 0:  # a clock ahead of ours counts as not late
            self.lateness_sum_ms += late_ms

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

    def _end_row(self, source: str) -> None:
        if self._in_a_row:
            self._sources[self._source] = self._sources.get(self._source, 0) + self._in_a_row
        self._source, self._in_a_row = source, 0

    def _add_up(self) -> None:
        for name, times, moved in zip(self._names, self._times, self._moved, strict=True):
            if times:
                self.counts[name] = self.counts.get(name, 0) + times
            if moved:
                _, outcome, tier = name
                self.count("amount_minor", outcome, tier, by=moved)
        self._times, self._moved = [0] * len(self._names), [0] * len(self._names)
        self._end_row("")
        for source, times in self._sources.items():
            self.count("transactions", source, by=times)
        self._sources.clear()
