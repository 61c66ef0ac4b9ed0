"""A month of one transaction type in a few hundred bytes: sums and counts per quarter-hour."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from mypy_extensions import mypyc_attr

from pipeline.calendar import QUARTER_MS
from pipeline.varint import SEVEN_BITS, encode, read

# The oldest bucket counts its quarter-hours from before all that RFC 3339 can write: no number is negative.
_YEAR_ONE: Final = -719_163 * 96


class BucketsError(ValueError):
    """These are not the bytes of buckets."""


class Columns(NamedTuple):
    """Buckets, oldest first: where each starts (ms), its sum (minor units) and how many entries it holds."""

    starts: list[int]
    amounts: list[int]
    counts: list[int]


@mypyc_attr(acyclic=True)
class Buckets:
    """Sums (minor units) and counts per quarter-hour since the epoch; empty quarter-hours take no room.

    The bytes depend on the content alone. They are one record a bucket, oldest first, in variable-length integers of
    seven bits: quarter-hours since the bucket before, doubled, plus one if a count follows; the sum; the count, unless
    it is one. They grow with each entry, so that to encode costs no more than a copy.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._size = 0
        self._oldest = _YEAR_ONE  # quarter-hour
        # The newest bucket: its quarter-hour, how far it is from the one before, what it holds, where its bytes begin.
        self._newest = _YEAR_ONE
        self._gap = 0
        self._amount = 0
        self._count = 0
        self._at = 0
        # What was decoded, for the first who asks, unless something has changed since.
        self._decoded: Columns | None = None

    def __len__(self) -> int:
        return self._size

    def add(self, time: int, amount: int, count: int = 1) -> None:
        """Put `count` entries of `amount` minor units together into the bucket that holds `time`."""
        self._decoded = None
        quarter = time // QUARTER_MS
        if quarter < self._newest:
            self._refill(sorted([*zip(*self.columns(), strict=True), (quarter * QUARTER_MS, amount, count)]))
            return
        if quarter == self._newest:
            amount += self._amount
            count += self._count
            del self._bytes[self._at :]
        else:
            if self._size == 0:
                self._oldest = quarter
            self._size += 1
            self._gap = quarter - self._newest
            self._newest = quarter
            self._at = len(self._bytes)
        self._amount = amount
        self._count = count
        self._bytes += _bucket(self._gap, amount, count)

    def drop(self, before: int) -> None:
        """Forget the buckets older than the one that holds `before`."""
        first = before // QUARTER_MS
        while self._size > 0 and self._oldest < first:
            self._decoded = None
            if self._size == 1:
                self._refill(())
                return
            second = _skip(self._bytes, 0)
            gap, after = read(self._bytes, second)
            self._oldest += gap >> 1
            head = encode(self._oldest - _YEAR_ONE << 1 | gap & 1)
            self._bytes[:after] = head
            self._at += len(head) - after
            self._size -= 1
            if self._size == 1:
                self._gap = self._oldest - _YEAR_ONE
                self._at = 0

    def columns(self) -> Columns:
        """Decode all buckets; the lists are the caller's."""
        decoded = self._decoded or _decode(bytes(self._bytes))
        self._decoded = None
        return decoded

    def to_bytes(self) -> bytes:
        """Encode: the same content gives the same bytes, whatever path led there."""
        return bytes(self._bytes)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Buckets":
        """Decode.

        Raises:
            BucketsError: the bytes end within a bucket, or do not lead forward.

        """
        buckets = cls()
        starts, amounts, counts = buckets._decoded = _decode(data)
        if starts:
            buckets._bytes = bytearray(data)
            buckets._size = len(starts)
            buckets._oldest = starts[0] // QUARTER_MS
            buckets._newest = starts[-1] // QUARTER_MS
            before = starts[-2] // QUARTER_MS if len(starts) > 1 else _YEAR_ONE
            buckets._gap = buckets._newest - before
            buckets._amount = amounts[-1]
            buckets._count = counts[-1]
            buckets._at = len(data) - len(_bucket(buckets._gap, amounts[-1], counts[-1]))
        return buckets

    def _refill(self, content: Iterable[tuple[int, int, int]]) -> None:
        """Write all anew: too slow for what happens each day, good enough for what does not."""
        self._bytes.clear()
        self._size = 0
        self._newest = _YEAR_ONE
        for start, amount, count in content:
            self.add(start, amount, count)


def merge(several: Sequence[Buckets]) -> Columns:
    """Decode the buckets of several types into one, as if all were of one type."""
    filled = [buckets for buckets in several if len(buckets) > 0]
    if len(filled) == 1:
        return filled[0].columns()
    merged = Columns([], [], [])
    for start, amount, count in sorted(chain.from_iterable(zip(*each.columns(), strict=True) for each in filled)):
        if merged.starts and merged.starts[-1] == start:
            merged.amounts[-1] += amount
            merged.counts[-1] += count
        else:
            merged.starts.append(start)
            merged.amounts.append(amount)
            merged.counts.append(count)
    return merged


def _decode(data: bytes) -> Columns:
    starts: list[int] = []
    amounts: list[int] = []
    counts: list[int] = []
    at = 0
    quarter = _YEAR_ONE
    size = len(data)
    try:
        while at < size:
            # Nearly every number has one byte or two; a customer comes back into memory faster if those are read here.
            gap = data[at]
            at += 1
            if gap > SEVEN_BITS:
                gap, at = read(data, at - 1)
            amount = data[at]
            at += 1
            if amount > SEVEN_BITS:
                more = data[at]
                at += 1
                amount += (more << 7) - 128
                if more > SEVEN_BITS:
                    amount, at = read(data, at - 2)
            count = 1
            if gap & 1:
                count, at = read(data, at)
            if gap < 2:  # noqa: PLR2004 - no whole quarter-hour after the bucket before
                raise BucketsError(f"two buckets for one quarter-hour, before byte {at}")
            quarter += gap >> 1
            starts.append(quarter * QUARTER_MS)
            amounts.append(amount)
            counts.append(count)
    except IndexError:
        raise BucketsError(f"the bytes end within a bucket, after {size} bytes") from None
    return Columns(starts, amounts, counts)


def _bucket(gap: int, amount: int, count: int) -> bytes:
    if count == 1:
        return encode(gap << 1) + encode(amount)
    return encode(gap << 1 | 1) + encode(amount) + encode(count)


def _skip(data: bytearray, at: int) -> int:
    """Return where the bucket after the one at `at` begins."""
    gap, at = read(data, at)
    at = read(data, at)[1]
    return read(data, at)[1] if gap & 1 else at
