"""Exact sums and counts over the windows of one customer, for one set of transaction types that limits count.

Recent entries are kept singly, older ones in buckets. All stand in one list with running totals, so that any
question costs two look-ups; past a threshold an index takes over the single ones. Both give the same answers.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from mypy_extensions import i64, mypyc_attr

from pipeline.buckets import Buckets, merge
from pipeline.calendar import QUARTER_MS, Window
from pipeline.timeline_given_back import GivenBack
from pipeline.timeline_index import CHUNK, Index, Older

# From here on the index costs less than the lists, however late entries arrive.
INDEX_FROM: Final = 512
# More than any window can hold.
_ANYTHING: Final = 2**61
# Before every moment.
_NEVER: Final = -(2**61)

# What a window holds: how many entries, their sum, the first and the last time (ms), None in an empty one and of a
# bucket its start; and the names of the newest single entries, the oldest of them first.
Evidence = tuple[int, int, int | None, int | None, tuple[int, ...]]


class Breach(NamedTuple):
    """At `moment` (ms) a late entry carries a limit from not broken to broken: to `observed`, itself included."""

    moment: int
    observed: int


@mypyc_attr(acyclic=True)
class Timeline:
    """Entries by the time they occurred, ties by arrival; amounts are minor units and never negative.

    It begins with what `buckets` hold, one for each transaction type counted here. What is too old to be kept singly is
    folded into buckets of its own, by the same rule as the customer's, so that every window that begins with a
    quarter-hour is exact; rolling windows are, as long as they begin after the newest bucket.
    """

    def __init__(self, buckets: Sequence[Buckets], index_from: int = INDEX_FROM, chunk: int = CHUNK) -> None:
        self._index_from = index_from
        self._chunk = chunk
        self._index: Index | None = None
        # The starts of buckets, then the times of single entries, unless an index holds those; running totals before
        # each of them, and one more after the last; the names of the single entries, the last so many.
        starts, amounts, counts = merge(buckets)
        self._times: list[int] = starts
        self._sums: list[int] = list(accumulate(amounts, initial=0))
        self._counts: list[int] = list(accumulate(counts, initial=0))
        self._refs: list[int] = []
        # What was given back later than its entry occurred, and the latest moment at which something was.
        self._given_back: list[GivenBack] = []
        self._newest_since = _NEVER
        # Time of the latest entry so far: one that is not earlier breaks nothing later.
        self.newest = _NEVER

    def __len__(self) -> int:
        """How many entries are kept singly."""
        return len(self._refs) if self._index is None else len(self._index)

    def add(self, time: int, amount: int, ref: int) -> None:
        """Put in an entry that has arrived; `amount` is 0 for a declined one, `ref` names it."""
        self.newest = max(self.newest, time)
        if self._index is not None:
            self._index.add(time, amount, ref)
            return
        if not self._refs or self._times[-1] <= time:
            self._times.append(time)
            self._sums.append(self._sums[-1] + amount)
            self._counts.append(self._counts[-1] + 1)
            self._refs.append(ref)
        else:
            buckets = len(self._times) - len(self._refs)
            at = bisect_right(self._times, time, buckets)
            self._insert(at, time, amount, 1)
            self._refs.insert(at - buckets, ref)
        if len(self._refs) > self._index_from:
            self._index_singles()

    def add_folded(self, time: int, amount: int) -> None:
        """Put an entry that has arrived when entries of its time were folded already into the bucket of its time."""
        start = time - time % QUARTER_MS
        buckets = len(self._times) - len(self._refs)
        at = bisect_left(self._times, start, 0, buckets)
        if at == buckets or self._times[at] != start:
            self._insert(at, start, amount, 1)
        else:
            self._change(at, amount, 1)
        if self._index is not None:
            self._index.older_changed()

    def give_back(self, time: int, ref: int, amount: int, since: int) -> None:
        """Reduce the entry `ref` at `time` by `amount` in every window judged at `since` or later.

        Raises:
            KeyError: no such entry is kept singly.

        """
        if self._index is not None:
            self._index.give_back(time, ref, amount, since)
            return
        buckets = len(self._times) - len(self._refs)
        at = bisect_left(self._times, time, buckets)
        try:
            at = buckets + self._refs.index(ref, at - buckets, bisect_right(self._times, time, at) - buckets)
        except ValueError:
            raise KeyError(ref) from None
        self._change(at, -amount, 0)
        if since > time:
            self._given_back.append(GivenBack(since, time, amount))
            self._newest_since = max(since, self._newest_since)

    def forget(self, until: int) -> None:
        """Fold the single entries up to and including `until`: they count as before, but have no names any more."""
        index = self._index
        if index is not None:
            for time, amount in index.forget(until):
                self._append_folded(time, amount)
            if len(index) <= self._index_from // 2:
                self._index = None
                self._given_back = index.given_back()
                self._newest_since = max((given.since for given in self._given_back), default=_NEVER)
                for time, amount, ref in index.entries():
                    self.add(time, amount, ref)
            return
        at = len(self._times) - len(self._refs)
        folded = 0
        while folded < len(self._refs) and self._times[at] <= until:
            folded += 1
            start = self._times[at] - self._times[at] % QUARTER_MS
            if at > 0 and self._times[at - 1] == start:
                del self._times[at], self._sums[at], self._counts[at]
            else:
                self._times[at] = start
                at += 1
        del self._refs[:folded]
        if folded > 0 and self._given_back:
            self._given_back = [given for given in self._given_back if given.time > until]
            self._newest_since = max((given.since for given in self._given_back), default=_NEVER)

    def drop(self, before: int) -> None:
        """Drop the buckets older than the one that holds `before`: no window reaches back to them any more."""
        start = before - before % QUARTER_MS
        if self._times and self._times[0] < start:
            at = bisect_left(self._times, start, 0, len(self._times) - len(self._refs))
            del self._times[:at], self._sums[:at], self._counts[:at]

    def most(self) -> tuple[int, int]:
        """Sum and count that no window exceeds, whatever its moment: found without a look-up."""
        if self._index is not None:
            return _ANYTHING, _ANYTHING
        amount = self._sums[-1] - self._sums[0]
        if self._given_back:
            amount += sum([given.amount for given in self._given_back])
        return amount, self._counts[-1] - self._counts[0]

    def total(self, start: int, t: int) -> tuple[int, int]:
        """Sum and count of the entries from `start` to `t`, both included, as judged at `t`."""
        if self._index is not None:
            return self._index.total(start, t)
        stop = self._until(t)
        begin = _first_from(self._times, start, stop)
        amount = self._sums[stop] - self._sums[begin]
        if self._newest_since > t:
            for given in self._given_back:
                if start <= given.time <= t < given.since:
                    amount += given.amount
        return amount, self._counts[stop] - self._counts[begin]

    def evidence(self, start: int, t: int, newest: int) -> Evidence:
        """Show what lies between `start` and `t`, both included, with the names of at most `newest` entries."""
        amount, count = self.total(start, t)
        times = self._times
        stop = self._until(t)
        begin = _first_from(times, start, stop)
        first: int | None = None
        last: int | None = None
        if begin < stop:
            first, last = times[begin], times[stop - 1]
        if self._index is not None:
            first_single, last_single, refs = self._index.newest(start, t, newest)
            first = first_single if first is None else first
            last = last if last_single is None else last_single
            return count, amount, first, last, tuple(refs)
        buckets = len(times) - len(self._refs)
        until = stop - buckets if stop > buckets else 0
        since = begin - buckets if begin > buckets else 0
        if until - since > newest:
            since = until - newest
        return count, amount, first, last, tuple(self._refs[since:until])

    def first_breach(self, window: Window, t: int, amount: int, limit: int, counted: bool) -> Breach | None:  # noqa: FBT001 - part of a limit
        """Find the first moment after `t` at which an entry at `t`, not yet added, breaks a limit that held until then.

        The moments asked are those of the single entries for which `t` still counts. `counted`: the limit is a count.
        """
        added = 1 if counted else amount
        if self.newest <= t or added == 0:
            return None
        start = window.start(t)
        if start is None:
            return None
        if self._index is not None:
            found = self._index.first_between(window, t, limit - added, limit, counted)
            return None if found is None else Breach(found[0], found[1] + added)
        times = self._times
        at = bisect_right(times, t, len(times) - len(self._refs))
        stop = bisect_left(times, window.end(t), at)
        if at == stop or self._most(start, stop, counted) + added <= limit:
            return None
        for moment in times[at:stop]:
            start = window.start(moment)
            if start is not None:
                held = self.total(start, moment)[counted]
                if limit - added < held <= limit:
                    return Breach(moment, held + added)
        return None

    def _until(self, t: int) -> int:
        """Where the first that is later than `t` stands."""
        times = self._times
        return bisect_right(times, t) if times and times[-1] > t else len(times)

    def _most(self, start: int, stop: int, counted: bool) -> int:  # noqa: FBT001 - part of a limit
        """No window from `start` or later, up to the entry before `stop`, holds more than this."""
        begin = bisect_left(self._times, start)
        if counted:
            return self._counts[stop] - self._counts[begin]
        return self._sums[stop] - self._sums[begin] + sum(given.amount for given in self._given_back)

    def _insert(self, at: int, time: int, amount: int, count: int) -> None:
        self._times.insert(at, time)
        self._sums.insert(at, self._sums[at])
        self._counts.insert(at, self._counts[at])
        self._change(at, amount, count)

    def _change(self, at: int, amount: int, count: int) -> None:
        for later in range(at + 1, len(self._sums)):
            self._sums[later] += amount
            self._counts[later] += count

    def _append_folded(self, time: int, amount: int) -> None:
        """Fold the next entry that comes from the index."""
        start = time - time % QUARTER_MS
        if self._times and self._times[-1] == start:
            self._change(len(self._times) - 1, amount, 1)
        else:
            self._insert(len(self._times), start, amount, 1)

    def _index_singles(self) -> None:
        """Have an index take over the single entries."""
        buckets = len(self._times) - len(self._refs)
        sums = self._sums[buckets:]
        amounts = [sums[i + 1] - sums[i] for i in range(len(self._refs))]
        times = self._times[buckets:]
        del self._times[buckets:], self._sums[buckets + 1 :], self._counts[buckets + 1 :]
        older = Older(self._times, self._sums, self._counts)
        self._index = Index(older, times, amounts, self._refs, self._given_back, self._chunk)
        self._refs, self._given_back = [], []


def _first_from(times: list[int], start: i64, stop: i64) -> i64:
    """Return where the first at `start` or later stands, `stop` if none before it does.

    Compiled, this costs half of what `bisect_left` does; and most windows hold all that is kept, or little of it.
    """
    if stop == 0 or times[0] >= start:
        return 0
    low: i64 = 0  # there stands one that is earlier
    high = stop  # and there one that is not, if any
    step: i64 = 1
    while high - step > low:
        middle = high - step
        if times[middle] < start:
            low = middle
            break
        high = middle
        step += step
    low += 1
    while low < high:
        middle = low + high >> 1
        if times[middle] < start:
            low = middle + 1
        else:
            high = middle
    return low
