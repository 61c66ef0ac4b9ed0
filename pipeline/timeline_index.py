"""The index of a customer with very many entries: sorted chunks with totals, so that no question looks at them all."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.calendar import Window
from pipeline.timeline_given_back import GivenBack, GivenBackColumns, Pending
from pipeline.timeline_moments import Moments, Place

# Entries in a new chunk; it is split when it has twice as many.
CHUNK = 256
# Of windows that nobody asks for any more (after a change of policy) all are forgotten together.
_WINDOWS_KEPT = 16


class _Chunk:
    """At most twice `CHUNK` entries that follow each other."""

    def __init__(self, times: list[int], amounts: list[int], refs: list[int]) -> None:
        self.times = times
        self.amounts = amounts
        self.refs = refs


class Older(NamedTuple):
    """What is no longer kept singly: starts of buckets, running totals before each and after the last. It may grow."""

    starts: list[int]
    sums: list[int]
    counts: list[int]

    def since(self, start: int) -> tuple[int, int]:
        """Sum and count from the bucket that begins at `start`, or the next one."""
        at = bisect_left(self.starts, start)
        return self.sums[-1] - self.sums[at], self.counts[-1] - self.counts[at]

    def between(self, start: int, t: int) -> tuple[int, int]:
        """Sum and count of the buckets that begin from `start` to `t`, both included."""
        at = bisect_left(self.starts, start)
        stop = bisect_right(self.starts, t, at)
        return self.sums[stop] - self.sums[at], self.counts[stop] - self.counts[at]


class _Asked:
    """What was found for one moment: judging asks for it again and again, and adding once more."""

    def __init__(self, t: int, after: Place, pending: Pending | None) -> None:
        self.t = t
        self.after = after
        self.pending = pending
        self.totals: dict[int, tuple[int, int]] = {}
        self.ends: dict[Window, Place] = {}


class Index:
    """What a timeline does, under the same obligations: cost grows with the number of chunks, and slowly.

    Amounts, and the sums of what is kept, stay below 2**63.
    """

    def __init__(
        self,
        older: Older,
        times: list[int],
        amounts: list[int],
        refs: list[int],
        given_back: Sequence[GivenBack],
        chunk: int,
    ) -> None:
        self._chunk = chunk
        self._older = older
        self._chunks: list[_Chunk] = []
        # By chunk: its last time, its sum and its count.
        self._lasts: list[int] = []
        self._sums: list[int] = []
        self._counts: list[int] = []
        for at in range(0, len(times), chunk):
            part = slice(at, at + chunk)
            self._put_chunk(len(self._chunks), _Chunk(times[part], amounts[part], refs[part]))
        self._given_back = GivenBackColumns(given_back)
        self._moments: Moments | None = None
        self._asked: _Asked | None = None

    def __len__(self) -> int:
        return sum(self._counts)

    def add(self, time: int, amount: int, ref: int) -> None:
        """Put in an entry that has arrived."""
        moments = self._moments
        held: list[int] = []
        if moments is not None:
            held = self._held_at(time, amount)
            moments.move(self._place(time), [self._leaves(time, window) for window in moments.windows], amount, 1)
        at, place = self._ask(time).after
        if at == len(self._chunks):
            at -= 1
            place = self._counts[at]
        chunk = self._chunks[at]
        chunk.times.insert(place, time)
        chunk.amounts.insert(place, amount)
        chunk.refs.insert(place, ref)
        self._lasts[at] = chunk.times[-1]
        self._sums[at] += amount
        self._counts[at] += 1
        if moments is not None:
            moments.insert(at, place, held)
        if self._counts[at] == 2 * self._chunk:
            self._split(at)
        self._asked = None

    def give_back(self, time: int, ref: int, amount: int, since: int) -> None:
        """Reduce an entry in every window judged at `since` or later; KeyError where it is not found."""
        at, place = self._find(time, ref)
        self._chunks[at].amounts[place] -= amount
        self._sums[at] -= amount
        if since > time:
            self._given_back.add(GivenBack(since, time, amount))
        moments = self._moments
        if moments is not None:
            stops = [self._place(window.end(time)) for window in moments.windows]
            moments.move(self._place(since), stops, -amount, 0)
        self._asked = None

    def older_changed(self) -> None:
        """Forget what was found from older entries, which have changed."""
        self._asked = None
        self._moments = None

    def forget(self, until: int) -> list[tuple[int, int]]:
        """Drop the entries up to and including `until`: returns their times and amounts."""
        at, place = self._place_after(until)
        self._asked = None
        folded: list[tuple[int, int]] = []
        for chunk in self._chunks[:at]:
            folded += zip(chunk.times, chunk.amounts, strict=True)
        if at > 0:
            del self._chunks[:at], self._lasts[:at], self._sums[:at], self._counts[:at]
        if place > 0:
            chunk = self._chunks[0]
            folded += zip(chunk.times[:place], chunk.amounts[:place], strict=True)
            self._sums[0] -= sum(chunk.amounts[:place])
            self._counts[0] -= place
            del chunk.times[:place], chunk.amounts[:place], chunk.refs[:place]
        if folded:
            self._given_back.forget(until)
            if self._moments is not None:
                self._moments.forget(at, place)
        return folded

    def total(self, start: int, t: int) -> tuple[int, int]:
        """Sum and count from `start` to `t`, both included, as judged at `t`."""
        asked = self._ask(t)
        known = asked.totals.get(start)
        if known is not None:
            return known
        at, place = self._place(start)
        stop, stop_place = asked.after
        chunks = self._chunks
        if at == stop:
            amount = sum(chunks[at].amounts[place:stop_place]) if at < len(chunks) else 0
            count = stop_place - place
        else:
            amount = sum(self._sums[at:stop]) - sum(chunks[at].amounts[:place])
            count = sum(self._counts[at:stop]) - place + stop_place
            if stop_place > 0:
                amount += sum(chunks[stop].amounts[:stop_place])
        if asked.pending is not None:
            amount += asked.pending.since(start)
        if at == place == 0:
            older_amount, older_count = self._older.between(start, t)
            amount += older_amount
            count += older_count
        asked.totals[start] = amount, count
        return amount, count

    def newest(self, start: int, t: int, newest: int) -> tuple[int | None, int | None, list[int]]:
        """First and last time between `start` and `t`, both included, and the names of at most `newest` entries."""
        first = self._place(start)
        at, place = self._place_after(t)
        if first >= (at, place):
            return None, None, []
        first_time = self._chunks[first[0]].times[first[1]]
        last_time: int | None = None
        refs: list[int] = []
        if place == 0:
            at -= 1
            place = self._counts[at]
        last_time = self._chunks[at].times[place - 1]
        while len(refs) < newest and at >= first[0]:
            oldest = max(first[1] if at == first[0] else 0, place - newest + len(refs))
            refs[:0] = self._chunks[at].refs[oldest:place]
            at -= 1
            place = self._counts[at]
        return first_time, last_time, refs

    def first_between(self, window: Window, t: int, over: int, limit: int, counted: bool) -> tuple[int, int] | None:  # noqa: FBT001 - part of a limit
        """Find the first moment after `t`, still counting `t`, at which a window holds more than `over`, up to `limit`.

        Returns the moment and what the window holds there.
        """
        if t >= self._lasts[-1]:
            return None
        if self._moments is None or len(self._moments.windows) > _WINDOWS_KEPT:
            self._moments = Moments(self._counts, 2 * self._chunk)
        moments = self._moments
        if window not in moments.windows:
            moments.watch(window, *self._held(window))
        row = 2 * moments.windows.index(window) + counted
        found = moments.first_between(row, self._ask(t).after, self._leaves(t, window), over, limit)
        return None if found is None else (self._chunks[found[0]].times[found[1]], found[2])

    def entries(self) -> list[tuple[int, int, int]]:
        """Return time, amount and name of each entry in order."""
        return [entry for chunk in self._chunks for entry in zip(chunk.times, chunk.amounts, chunk.refs, strict=True)]

    def given_back(self) -> list[GivenBack]:
        """Return what was given back later than its entry occurred."""
        return self._given_back.entries()

    def _place(self, time: int) -> Place:
        """Return where the first entry at `time` or later stands."""
        at = bisect_left(self._lasts, time)
        return (at, bisect_left(self._chunks[at].times, time)) if at < len(self._lasts) else (at, 0)

    def _place_after(self, time: int) -> Place:
        """Return where the first entry later than `time` stands."""
        at = bisect_right(self._lasts, time)
        return (at, bisect_right(self._chunks[at].times, time)) if at < len(self._lasts) else (at, 0)

    def _ask(self, t: int) -> _Asked:
        if self._asked is None or self._asked.t != t:
            self._asked = _Asked(t, self._place_after(t), self._given_back.pending(t))
        return self._asked

    def _leaves(self, t: int, window: Window) -> Place:
        """Return the first entry at whose moment one at `t` no longer counts."""
        ends = self._ask(t).ends
        end = ends.get(window)
        if end is None:
            end = ends[window] = self._place(window.end(t))
        return end

    def _held_at(self, t: int, amount: int) -> list[int]:
        """Sum and count that each window will hold at `t`, together with an entry of `amount`."""
        held: list[int] = []
        for window in [] if self._moments is None else self._moments.windows:
            start = window.start(t)
            if start is None:
                held += (0, 0)
            else:
                old_amount, old_count = self.total(start, t)
                held += (old_amount + amount, old_count + 1)
        return held

    def _find(self, time: int, ref: int) -> Place:
        at, place = self._place(time)
        stop, stop_place = self._place_after(time)
        while at < stop or (at == stop and place < stop_place):
            try:
                return at, self._chunks[at].refs.index(ref, place, stop_place if at == stop else self._counts[at])
            except ValueError:
                at, place = at + 1, 0
        raise KeyError(ref)

    def _put_chunk(self, at: int, chunk: _Chunk) -> None:
        self._chunks.insert(at, chunk)
        self._lasts.insert(at, chunk.times[-1])
        self._sums.insert(at, sum(chunk.amounts))
        self._counts.insert(at, len(chunk.times))

    def _split(self, at: int) -> None:
        chunk = self._chunks.pop(at)
        half = self._chunk
        del self._lasts[at], self._sums[at], self._counts[at]
        self._put_chunk(at, _Chunk(chunk.times[half:], chunk.amounts[half:], chunk.refs[half:]))
        self._put_chunk(at, _Chunk(chunk.times[:half], chunk.amounts[:half], chunk.refs[:half]))
        if self._moments is not None:
            self._moments.split(at)

    def _held(self, window: Window) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sum and count that the window holds at each entry's moment, the slow way; 0 where it does not apply."""
        times, amounts, _ = zip(*self.entries(), strict=True)
        # Where the window does not apply it begins after the moment, and is empty.
        starts = np.array([t + 1 if (start := window.start(t)) is None else start for t in times], dtype=np.int64)
        moments = np.array(times, dtype=np.int64)
        before = np.concatenate(([0], np.cumsum(np.array(amounts, dtype=np.int64))))
        first = np.searchsorted(moments, starts, "left")
        stop = np.searchsorted(moments, moments, "right")
        held_amounts = before[stop] - before[first]
        held_counts = stop - first
        for start in np.unique(starts[first == 0]).tolist():
            older_amount, older_count = self._older.since(start)
            if older_count:
                where = starts == start
                held_amounts[where] += older_amount
                held_counts[where] += older_count
        for since, time, amount in self.given_back():
            pending = slice(*np.searchsorted(moments, (time, min(since, window.end(time)))))
            held_amounts[pending] += amount
        return held_amounts, held_counts
