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


class Pending:
    """What is given back of the entries up to some moment, but only after it."""

    def __init__(self, times: NDArray[np.int64], amounts: NDArray[np.int64]) -> None:
        self._times = times  # in order
        self._before = amounts.cumsum() - amounts
        self._whole = int(amounts.sum())

    def since(self, start: int) -> int:
        """Sum of what is pending of entries at `start` or later."""
        at = int(self._times.searchsorted(start))
        return self._whole - int(self._before[at]) if at < len(self._times) else 0


class GivenBackColumns:
    """What was given back later than its entry occurred, by the time of the entry."""

    def __init__(self, given_back: Sequence[GivenBack]) -> None:
        self._used = len(given_back)
        self._columns: NDArray[np.int64] = np.zeros((3, 2 * self._used + 16), dtype=np.int64)
        for at, given in enumerate(sorted(given_back, key=_time)):
            self._columns[:, at] = given
        self._newest_since = max((given.since for given in given_back), default=None)

    def add(self, given: GivenBack) -> None:
        """Remember one more."""
        used = self._used
        if used == self._columns.shape[1]:
            self._columns = np.concatenate((self._columns, np.zeros_like(self._columns)), axis=1)
        at = int(self._columns[_TIME, :used].searchsorted(given.time))
        self._columns[:, at + 1 : used + 1] = self._columns[:, at:used]
        self._columns[:, at] = given
        self._used += 1
        if self._newest_since is None or self._newest_since < given.since:
            self._newest_since = given.since

    def forget(self, until: int) -> None:
        """Drop what was given back of entries up to and including `until`: folded, they count what is left of them."""
        folded = int(self._columns[_TIME, : self._used].searchsorted(until, "right"))
        self._used -= folded
        self._columns[:, : self._used] = self._columns[:, folded : folded + self._used]

    def pending(self, t: int) -> Pending | None:
        """Return what is given back of entries up to `t`, but only after `t`; None if nothing is."""
        if self._newest_since is None or self._newest_since <= t:
            return None
        columns = self._columns[:, : int(self._columns[_TIME, : self._used].searchsorted(t, "right"))]
        pending = (columns[_SINCE] > t).nonzero()[0]
        return Pending(columns[_TIME, pending], columns[_AMOUNT, pending]) if len(pending) else None

    def entries(self) -> list[GivenBack]:
        """Return all of it."""
        return [GivenBack(*given) for given in self._columns[:, : self._used].T.tolist()]


def _time(given: GivenBack) -> int:
    return given.time
