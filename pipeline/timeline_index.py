"""The index of a customer with very many entries: sorted chunks with totals, so that no question looks at them all."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.buckets import Buckets, total_since
from pipeline.calendar import Window
from pipeline.timeline_given_back import GivenBack, GivenBackColumns
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


class Index:
    """What a timeline does, under the same obligations: cost grows with the number of chunks, and slowly.

    Amounts, and the sums of what is kept, stay below 2**63.
    """

    def __init__(
        self,
        buckets: Sequence[Buckets],
        times: list[int],
        amounts: list[int],
        refs: list[int],
        given_back: Sequence[GivenBack],
        chunk: int,
    ) -> None:
        self._chunk = chunk
        self._buckets = buckets
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
        # Totals already asked for at one moment, by start: judging asks for them, adding needs them again.
        self._asked_at = 0
        self._asked: dict[int, tuple[int, int]] = {}

    def __len__(self) -> int:
        return sum(self._counts)

    def add(self, time: int, amount: int, ref: int) -> None:
        """Put in an entry that has arrived."""
        moments = self._moments
        held: list[int] = []
        if moments is not None:
            held = self._held_at(time, amount)
            moments.enter(self._place(time), self._leaves(time), amount)
        at, place = self._place_after(time)
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
        self._asked.clear()

    def give_back(self, time: int, ref: int, amount: int, since: int) -> None:
        """Reduce an entry in every window judged at `since` or later; KeyError where it is not found."""
        at, place = self._find(time, ref)
        self._chunks[at].amounts[place] -= amount
        self._sums[at] -= amount
        if since > time:
            self._given_back.append(GivenBack(since, time, amount))
        if self._moments is not None:
            self._moments.give_back(self._place(since), self._leaves(time), amount)
        self._asked.clear()

    def forget(self, until: int) -> None:
        """Drop the entries up to and including `until`."""
        at, place = self._place_after(until)
        self._asked.clear()
        if at == place == 0:
            return
        if at > 0:
            del self._chunks[:at], self._lasts[:at], self._sums[:at], self._counts[:at]
            self._given_back.forget(until)
        if place > 0:
            chunk = self._chunks[0]
            self._sums[0] -= sum(chunk.amounts[:place])
            self._counts[0] -= place
            del chunk.times[:place], chunk.amounts[:place], chunk.refs[:place]
        if self._moments is not None:
            self._moments.forget(at, place)

    def total(self, start: int, t: int) -> tuple[int, int]:
        """Sum and count from `start` to `t`, both included, as judged at `t`."""
        if self._asked_at != t:
            self._asked.clear()
            self._asked_at = t
        asked = self._asked.get(start)
        if asked is not None:
            return asked
        at, place = self._place(start)
        stop, stop_place = self._place_after(t)
        chunks = self._chunks
        if at == stop:
            amount = sum(chunks[at].amounts[place:stop_place]) if at < len(chunks) else 0
            count = stop_place - place
        else:
            amount = sum(self._sums[at:stop]) - sum(chunks[at].amounts[:place])
            count = sum(self._counts[at:stop]) - place + stop_place
            if stop_place > 0:
                amount += sum(chunks[stop].amounts[:stop_place])
        amount += self._given_back.pending(start, t)
        if at == place == 0:
            older_amount, older_count = total_since(self._buckets, start)
            amount += older_amount
            count += older_count
        self._asked[start] = amount, count
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
        found = moments.first_between(row, self._place_after(t), self._place(window.end(t)), over, limit)
        return None if found is None else (self._chunks[found[0]].times[found[1]], found[2])

    def entries(self) -> tuple[list[int], list[int], list[int], list[GivenBack]]:
        """Return times, amounts, references and what was given back, for lists to take over."""
        times: list[int] = []
        amounts: list[int] = []
        refs: list[int] = []
        for chunk in self._chunks:
            times += chunk.times
            amounts += chunk.amounts
            refs += chunk.refs
        return times, amounts, refs, self._given_back.entries()

    def _place(self, time: int) -> Place:
        """Return where the first entry at `time` or later stands."""
        at = bisect_left(self._lasts, time)
        return (at, bisect_left(self._chunks[at].times, time)) if at < len(self._lasts) else (at, 0)

    def _place_after(self, time: int) -> Place:
        """Return where the first entry later than `time` stands."""
        at = bisect_right(self._lasts, time)
        return (at, bisect_right(self._chunks[at].times, time)) if at < len(self._lasts) else (at, 0)

    def _leaves(self, time: int) -> list[Place]:
        """Return, by window, the first entry at whose moment one at `time` no longer counts."""
        return [] if self._moments is None else [self._place(window.end(time)) for window in self._moments.windows]

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
        times, amounts, _, given_back = self.entries()
        # Where the window does not apply it begins after the moment, and is empty.
        starts = np.array([t + 1 if (start := window.start(t)) is None else start for t in times], dtype=np.int64)
        moments = np.array(times, dtype=np.int64)
        before = np.concatenate(([0], np.cumsum(np.array(amounts, dtype=np.int64))))
        first = np.searchsorted(moments, starts, "left")
        stop = np.searchsorted(moments, moments, "right")
        held_amounts = before[stop] - before[first]
        held_counts = stop - first
        for start in np.unique(starts[first == 0]).tolist():
            older_amount, older_count = total_since(self._buckets, start)
            if older_count:
                where = starts == start
                held_amounts[where] += older_amount
                held_counts[where] += older_count
        for since, time, amount in given_back:
            pending = slice(*np.searchsorted(moments, (time, min(since, window.end(time)))))
            held_amounts[pending] += amount
        return held_amounts, held_counts
