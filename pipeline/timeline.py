"""Exact sums and counts over the windows of one customer, for one set of transaction types that limits count.

Recent entries are kept singly, older ones in buckets. A timeline of few entries is three sorted lists; past a threshold
an index takes their place. Both give the same answers.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.buckets import Buckets, total_since
from pipeline.calendar import QUARTER_MS, Window
from pipeline.timeline_given_back import GivenBack
from pipeline.timeline_index import CHUNK, Index

# From here on the index costs less than the lists when most entries arrive late.
INDEX_FROM = 128


class Evidence(NamedTuple):
    """What a window holds. `first` and `last` (ms) are None in an empty one; from a bucket we know its start only.

    `refs` names the newest single entries, oldest of them first.
    """

    entries: int
    amount: int
    first: int | None
    last: int | None
    refs: tuple[int, ...]


class Breach(NamedTuple):
    """At `moment` (ms) a late entry carries a limit from not broken to broken: to `observed`, itself included."""

    moment: int
    observed: int


class Timeline:
    """Entries by the time they occurred, ties by arrival; amounts are minor units and never negative.

    `buckets`, one for each transaction type counted here, hold what is too old to be kept singly. The customer owns
    them: to fold, it adds old entries to them and then has every timeline `forget` the same entries, with no question
    in between. Rolling windows are exact as long as they begin after the newest bucket; all others begin with a bucket.
    """

    def __init__(self, buckets: Sequence[Buckets], index_from: int = INDEX_FROM, chunk: int = CHUNK) -> None:
        self._buckets = buckets
        self._index_from = index_from
        self._chunk = chunk
        self._index: Index | None = None
        self._times: list[int] = []
        self._amounts: list[int] = []  # what is left after everything that was given back, at any time
        self._refs: list[int] = []
        self._given_back: list[GivenBack] = []  # what was given back later than its entry occurred
        self._newest_since: int | None = None
        # Time of the latest entry so far: one that is not earlier breaks nothing later.
        self.newest: int | None = None

    def __len__(self) -> int:
        return len(self._times) if self._index is None else len(self._index)

    def add(self, time: int, amount: int, ref: int) -> None:
        """Put in an entry that has arrived; `amount` is 0 for a declined one, `ref` names it."""
        if self.newest is None or self.newest < time:
            self.newest = time
        if self._index is not None:
            self._index.add(time, amount, ref)
            return
        times = self._times
        if not times or times[-1] <= time:
            times.append(time)
            self._amounts.append(amount)
            self._refs.append(ref)
        else:
            at = bisect_right(times, time)
            times.insert(at, time)
            self._amounts.insert(at, amount)
            self._refs.insert(at, ref)
        if len(times) > self._index_from:
            self._index = Index(self._buckets, times, self._amounts, self._refs, self._given_back, self._chunk)
            self._times, self._amounts, self._refs, self._given_back = [], [], [], []

    def give_back(self, time: int, ref: int, amount: int, since: int) -> None:
        """Reduce the entry `ref` at `time` by `amount` in every window judged at `since` or later.

        Raises:
            KeyError: no such entry is kept singly.

        """
        if self._index is not None:
            self._index.give_back(time, ref, amount, since)
            return
        at = bisect_left(self._times, time)
        try:
            at = self._refs.index(ref, at, bisect_right(self._times, time, at))
        except ValueError:
            raise KeyError(ref) from None
        self._amounts[at] -= amount
        if since > time:
            self._given_back.append(GivenBack(since, time, amount))
            self._newest_since = since if self._newest_since is None else max(since, self._newest_since)

    def forget(self, until: int) -> None:
        """Drop the single entries up to and including `until`, which are in the buckets now."""
        index = self._index
        if index is not None:
            index.forget(until)
            if len(index) > self._index_from // 2:
                return
            self._times, self._amounts, self._refs, self._given_back = index.entries()
            self._index = None
        else:
            at = bisect_right(self._times, until)
            if at == 0:
                return
            del self._times[:at], self._amounts[:at], self._refs[:at]
        self._given_back = [given for given in self._given_back if given.since > until]
        self._newest_since = max((given.since for given in self._given_back), default=None)

    def total(self, start: int, t: int) -> tuple[int, int]:
        """Sum and count of the entries from `start` to `t`, both included, as judged at `t`."""
        if self._index is not None:
            return self._index.total(start, t)
        times = self._times
        begin = bisect_left(times, start)
        stop = len(times) if not times or times[-1] <= t else bisect_right(times, t)
        amount = sum(self._amounts[begin:stop])
        count = stop - begin
        if self._newest_since is not None and self._newest_since > t:
            for given in self._given_back:
                if start <= given.time <= t < given.since:
                    amount += given.amount
        if begin == 0:
            for bucket in self._buckets:
                if start < bucket.end:
                    older_amount, older_count = bucket.total(start)
                    amount += older_amount
                    count += older_count
        return amount, count

    def totals(self, starts: Sequence[int], t: int) -> list[tuple[int, int]]:
        """Answer for several windows at once what `total` answers for one."""
        times = self._times
        if self._index is not None or not times or times[-1] > t or self._newest_since is not None:
            return [self.total(start, t) for start in starts]
        amounts = self._amounts
        count = len(times)
        oldest = times[0]
        whole = -1
        answers: list[tuple[int, int]] = []
        for start in starts:
            if start > oldest:
                begin = bisect_left(times, start)
                answers.append((sum(amounts[begin:]), count - begin))
                continue
            if whole < 0:
                whole = sum(amounts)
            older_amount = whole
            older_count = count
            for bucket in self._buckets:
                if start < bucket.end:
                    more_amount, more_count = bucket.total(start)
                    older_amount += more_amount
                    older_count += more_count
            answers.append((older_amount, older_count))
        return answers

    def evidence(self, start: int, t: int, newest: int) -> Evidence:
        """Show what lies between `start` and `t`, both included, with the names of at most `newest` entries."""
        amount, count = self.total(start, t)
        if self._index is not None:
            first, last, refs = self._index.newest(start, t, newest)
        else:
            begin = bisect_left(self._times, start)
            stop = bisect_right(self._times, t, begin)
            refs = self._refs[max(begin, stop - newest) : stop]
            first, last = (self._times[begin], self._times[stop - 1]) if refs else (None, None)
        for bucket in self._buckets:
            if start < bucket.end:
                first = bucket.first(start) if first is None else min(first, bucket.first(start))
                last = bucket.end - QUARTER_MS if last is None else max(last, bucket.end - QUARTER_MS)
        return Evidence(count, amount, first, last, tuple(refs))

    def first_breach(self, window: Window, t: int, amount: int, limit: int, counted: bool) -> Breach | None:  # noqa: FBT001 - part of a limit
        """Find the first moment after `t` at which an entry at `t`, not yet added, breaks a limit that held until then.

        The moments asked are those of the single entries for which `t` still counts. `counted`: the limit is a count.
        """
        added = 1 if counted else amount
        if self.newest is None or self.newest <= t or added == 0:
            return None
        start = window.start(t)
        if start is None:
            return None
        if self._index is not None:
            found = self._index.first_between(window, t, limit - added, limit, counted)
            return None if found is None else Breach(found[0], found[1] + added)
        times = self._times
        at = bisect_right(times, t)
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

    def _most(self, start: int, stop: int, counted: bool) -> int:  # noqa: FBT001 - part of a limit
        """No window from `start` or later, up to the single entry before `stop`, holds more than this."""
        begin = bisect_left(self._times, start)
        amount, count = total_since(self._buckets, start)
        if counted:
            return count + stop - begin
        return amount + sum(self._amounts[begin:stop]) + sum(given.amount for given in self._given_back)
