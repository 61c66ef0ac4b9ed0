"""What reversals gave back of their originals, at which moment, to the minor unit."""

from bisect import insort

from mypy_extensions import mypyc_attr

from pipeline.log import Log, amount_of

# What an entry was before conversion: its currency and minor units.
Foreign = tuple[str, int]


@mypyc_attr(acyclic=True)
class Reversals:
    """`originals`: by a reversal's position its original's; `foreign`: by position what had another currency.

    What a reversal gives back stands there in any case.
    """

    __slots__ = ("_given", "_steps", "_told", "foreign", "originals")

    def __init__(self) -> None:
        """Nothing was reversed."""
        self.originals: dict[int, int] = {}
        self.foreign: dict[int, Foreign] = {}
        # Derived. By original: what was given back of it, and when each reversal took effect and its minor units; by
        # reversal: what it changed since when.
        self._given: dict[int, int] = {}
        self._told: dict[int, list[tuple[int, int]]] = {}
        self._steps: dict[int, list[tuple[int, int]]] = {}

    def add(self, position: int, original: int, foreign: Foreign) -> None:
        """Note what the entry at `position` reverses."""
        self.originals[position] = original
        self.foreign[position] = foreign

    def reversed_by(self, original: int, moment: int) -> int:
        """Minor units of the reversals that had taken effect by then, the original's own amount or more."""
        return sum([minor for since, minor in self._told.get(original, ()) if since <= moment])

    def apply(self, log: Log, position: int, original: int) -> list[tuple[int, int]]:
        """What the reversal at `position` changes: from which moment on how much less its original counts.

        At every moment the reversals that occurred by then give back their sum, at most the whole. So one that is told
        late takes over, from its own time on, what a later one gave back. Of the whole rather than step by step, so
        that the steps add up to the original, to the minor unit.
        """
        time, amount = log.time(original), amount_of(log.counts(original))
        whole = self.foreign[original][1] if original in self.foreign else amount
        since = max(time, log.time(position))
        more = self.foreign[position][1]
        before = self.reversed_by(original, since)
        told = self._told.setdefault(original, [])
        steps: list[tuple[int, int]] = []
        changed = 0
        for moment, minor in [(since, 0), *[each for each in told if each[0] > since]]:
            before += minor
            change = _share(amount, before + more, whole) - _share(amount, before, whole)
            if change != changed:
                steps.append((moment, change - changed))
                changed = change
        insort(told, (since, more))
        self._given[original] = self._given.get(original, 0) + changed
        self._steps[position] = steps
        return steps

    def steps(self, position: int) -> list[tuple[int, int]]:
        """What the reversal at `position` changed when it was applied."""
        return self._steps.get(position, [])

    def close(self, original: int) -> int:
        """What was given back of an entry, of which no reversal will be told any more."""
        self._told.pop(original, None)
        return self._given.pop(original, 0)

    def within(self, start: int, stop: int) -> tuple[dict[int, int], dict[int, Foreign]]:
        """`originals` and `foreign` of the positions from `start` to before `stop`."""
        if not self.foreign:  # and so no originals
            return {}, {}
        return (
            {position: self.originals[position] for position in range(start, stop) if position in self.originals},
            {position: self.foreign[position] for position in range(start, stop) if position in self.foreign},
        )

    def forget(self, first: int, end: int) -> None:
        """Forget all about the entries from `first` to before `end`."""
        if self.originals or self.foreign:
            for position in range(first, end):
                self.originals.pop(position, None)
                self.foreign.pop(position, None)
                self._steps.pop(position, None)


def _share(amount: int, reversed_minor: int, whole_minor: int) -> int:
    """What a reversal of so much of the whole gives back of the amount in base minor units."""
    return amount * min(reversed_minor, whole_minor) // whole_minor if whole_minor else 0
