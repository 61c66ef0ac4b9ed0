"""What reversals gave back of the entries of an index, in columns, so that all that is pending is found at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SINCE, _TIME, _AMOUNT = 0, 1, 2


class GivenBack(NamedTuple):
    """From `since` on, the entry at `time` counts `amount` less."""

    since: int
    time: int
    amount: int


class GivenBackColumns:
    """An unordered heap of what was given back later than its entry occurred."""

    def __init__(self, given_back: Sequence[GivenBack]) -> None:
        self._used = len(given_back)
        self._columns: NDArray[np.int64] = np.zeros((3, 2 * self._used + 16), dtype=np.int64)
        for i, given in enumerate(given_back):
            self._columns[:, i] = given
        self._newest_since = max((given.since for given in given_back), default=None)
        # What is pending at one moment: all windows of a transaction ask for the same.
        self._pending_at: int | None = None
        self._pending_times = self._columns[_TIME, :0]
        self._pending_amounts = self._columns[_AMOUNT, :0]

    def append(self, given: GivenBack) -> None:
        """Remember one more."""
        if self._used == self._columns.shape[1]:
            self._columns = np.concatenate((self._columns, np.zeros_like(self._columns)), axis=1)
        self._columns[:, self._used] = given
        self._used += 1
        if self._newest_since is None or self._newest_since < given.since:
            self._newest_since = given.since
        self._pending_at = None

    def forget(self, until: int) -> None:
        """Drop what is not pending at any moment after `until`."""
        kept = self._columns[:, : self._used]
        kept = kept[:, kept[_SINCE] > until]
        self._used = kept.shape[1]
        self._columns[:, : self._used] = kept
        self._pending_at = None

    def pending(self, start: int, t: int) -> int:
        """Sum of what is given back of the entries from `start` to `t`, but only after `t`."""
        if self._newest_since is None or self._newest_since <= t:
            return 0
        if self._pending_at != t:
            columns = self._columns[:, : self._used]
            pending = np.flatnonzero((columns[_TIME] <= t) & (columns[_SINCE] > t))
            self._pending_times = columns[_TIME, pending]
            self._pending_amounts = columns[_AMOUNT, pending]
            self._pending_at = t
        if not len(self._pending_times):
            return 0
        return int(self._pending_amounts[self._pending_times >= start].sum())

    def entries(self) -> list[GivenBack]:
        """Return all of it."""
        return [GivenBack(*given) for given in self._columns[:, : self._used].T.tolist()]
