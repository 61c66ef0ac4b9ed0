"""What each window holds at each moment of an index, kept up to date so that a breach is found without a search.

An entry, or what is given back of it, moves what a window holds by one amount over a whole range of moments. Chunks
within the range only note it; the two at its ends are touched. Each chunk knows bounds on what it holds, so that those
that are broken everywhere, and those that are far from the limit everywhere, are passed over at once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.calendar import Window

# What a chunk knows of each row: bounds that no value lies outside of, and what is still to be added to its values.
_LOW, _HIGH, _ADD = 0, 1, 2

# A chunk and a place in it; past the last entry of a chunk is the start of the next one.
Place = tuple[int, int]


class Moments:
    """Two rows for each window, its sum and its count, and a column for each entry: values at the entry's moment."""

    def __init__(self, counts: Sequence[int], most: int) -> None:
        self.windows: list[Window] = []
        self._counts = list(counts)
        self._most = most  # entries in a chunk
        # By chunk: rows x most.
        self._values: list[NDArray[np.int64]] = [np.zeros((0, most), dtype=np.int64) for _ in counts]
        # (_LOW, _HIGH, _ADD) x rows x chunks.
        self._chunks: NDArray[np.int64] = np.zeros((3, 0, len(counts)), dtype=np.int64)

    def watch(self, window: Window, amounts: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Keep a further window up to date, which now holds `amounts` and `counts` at the moments of the entries."""
        row = 2 * len(self.windows)
        self.windows.append(window)
        self._chunks = np.concatenate((self._chunks, np.zeros((3, 2, len(self._counts)), dtype=np.int64)), axis=1)
        stop = 0
        for at, count in enumerate(self._counts):
            values = np.zeros((2, self._most), dtype=np.int64)
            begin, stop = stop, stop + count
            values[0, :count] = amounts[begin:stop]
            values[1, :count] = counts[begin:stop]
            self._values[at] = np.concatenate((self._values[at], values))
            self._tighten(at, row)
            self._tighten(at, row + 1)

    def move(self, first: Place, stops: Sequence[Place], amount: int, count: int) -> None:
        """Add to sum and count of each window at all moments from `first` to before the window's stop."""
        by = np.array((amount, count) * len(stops), dtype=np.int64)[:, None]
        # The other bound may become wider than need be. It is tightened when that makes somebody look in vain.
        bound = _LOW if amount < 0 else _HIGH
        at, place = first
        if place > 0 and min(stops)[0] > at:
            self._move_part(slice(None), at, slice(place, self._counts[at]), by, bound)
            first = at + 1, 0
        row = 0
        while row < len(stops):
            # Most windows end after the last entry: they are moved together.
            stop = stops[row]
            rows = slice(2 * row, 2 * row + 2)
            while rows.stop < len(by) and stops[rows.stop // 2] == stop:
                rows = slice(rows.start, rows.stop + 2)
            row = rows.stop // 2
            if first < stop:
                self._move_rows(rows, first, stop, by[rows], bound)

    def insert(self, at: int, place: int, held: Sequence[int]) -> None:
        """Put in the moment of a new entry, with the sum and count that each window holds there."""
        values = self._values[at]
        count = self._counts[at]
        column = np.array(held, dtype=np.int64)
        if place < count:
            values[:, place + 1 : count + 1] = values[:, place:count]
        low, high, add = self._chunks[:, :, at]
        values[:, place] = column - add
        np.minimum(low, column, out=low)
        np.maximum(high, column, out=high)
        self._counts[at] += 1

    def split(self, at: int) -> None:
        """Make two chunks of a full one."""
        half = self._most // 2
        later = np.zeros_like(self._values[at])
        later[:, :half] = self._values[at][:, half:]
        self._values.insert(at + 1, later)
        self._counts[at : at + 1] = [half, half]
        self._chunks = np.insert(self._chunks, at, self._chunks[:, :, at], axis=2)
        for row in range(2 * len(self.windows)):
            self._tighten(at, row)
            self._tighten(at + 1, row)

    def forget(self, chunks: int, places: int) -> None:
        """Drop the oldest chunks, and the first entries of the next one."""
        del self._values[:chunks], self._counts[:chunks]
        self._chunks = self._chunks[:, :, chunks:]
        if places > 0:
            count = self._counts[0]
            self._values[0][:, : count - places] = self._values[0][:, places:count]
            self._counts[0] -= places

    def first_between(self, row: int, first: Place, stop: Place, over: int, limit: int) -> tuple[int, int, int] | None:
        """Find the first moment from `first` to before `stop` at which a row holds more than `over`, up to `limit`.

        Returns its chunk, its place and what is held there.
        """
        begin = first[0]
        chunks = slice(begin, stop[0] + (stop[1] > 0))
        hopeful = (self._chunks[_LOW, row, chunks] <= limit) & (self._chunks[_HIGH, row, chunks] > over)
        for at in (hopeful.nonzero()[0] + begin).tolist():
            place = first[1] if at == begin else 0
            values = self._values[at][row, place : stop[1] if at == stop[0] else self._counts[at]]
            add = int(self._chunks[_ADD, row, at])
            found = ((values <= limit - add) & (values > over - add)).nonzero()[0]
            if len(found):
                step = int(found[0])
                return at, place + step, int(values[step]) + add
            self._tighten(at, row)
        return None

    def _move_rows(self, rows: slice, first: Place, stop: Place, by: NDArray[np.int64], bound: int) -> None:
        at, place = first
        if at == stop[0]:
            self._move_part(rows, at, slice(place, stop[1]), by, bound)
            return
        if place > 0:
            self._move_part(rows, at, slice(place, self._counts[at]), by, bound)
            at += 1
        if at < stop[0]:
            self._chunks[:, rows, at : stop[0]] += by
        if stop[1] > 0:
            self._move_part(rows, stop[0], slice(0, stop[1]), by, bound)

    def _move_part(self, rows: slice, at: int, places: slice, by: NDArray[np.int64], bound: int) -> None:
        self._values[at][rows, places] += by
        self._chunks[bound, rows, at : at + 1] += by

    def _tighten(self, at: int, row: int) -> None:
        values = self._values[at][row, : self._counts[at]]
        add = self._chunks[_ADD, row, at]
        self._chunks[_LOW, row, at] = values.min() + add
        self._chunks[_HIGH, row, at] = values.max() + add
