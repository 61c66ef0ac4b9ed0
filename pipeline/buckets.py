"""A month of one transaction type in a few hundred bytes: sums and counts per quarter-hour, with running totals."""

from bisect import bisect_left
from collections.abc import Sequence

from pipeline.calendar import QUARTER_MS

# The oldest bucket counts its quarter-hours from the first moment that RFC 3339 can write: no number is negative.
_YEAR_ONE = -719_162 * 96


class BucketsError(ValueError):
    """These are not the bytes of buckets."""


class Buckets:
    """Sums (minor units) and counts per quarter-hour since the epoch; empty quarter-hours take no room.

    The bytes depend on the content alone. They are one record a bucket, oldest first, in variable-length integers of
    seven bits: quarter-hours since the bucket before, doubled, plus one if a count follows; the sum; the count, unless
    it is one. They grow with each entry, so that encoding costs no more than copying them.
    """

    def __init__(self) -> None:
        self._quarters: list[int] = []
        # Running totals: before bucket i, and one more after the last; those of dropped buckets stay in them.
        self._sums: list[int] = [0]
        self._counts: list[int] = [0]
        self._bytes = bytearray()
        self._newest_at = 0  # where the newest bucket begins in the bytes
        # First moment after the newest bucket, 0 if there is none: no window that starts then or later needs to ask.
        self.end = 0

    def __len__(self) -> int:
        return len(self._quarters)

    def add(self, time: int, amount: int, count: int = 1) -> None:
        """Put `count` entries of `amount` minor units together into the bucket that holds `time`."""
        quarter = time // QUARTER_MS
        quarters = self._quarters
        if not quarters or quarter > quarters[-1]:
            self._append(quarter, amount, count)
        elif quarter == quarters[-1]:
            amount += self._sums.pop() - self._sums[-1]
            count += self._counts.pop() - self._counts[-1]
            quarters.pop()
            del self._bytes[self._newest_at :]
            self._append(quarter, amount, count)
        else:
            self._insert(quarter, amount, count)

    def total(self, start: int) -> tuple[int, int]:
        """Sum and count of all buckets from the one that holds `start`."""
        at = bisect_left(self._quarters, start // QUARTER_MS)
        return self._sums[-1] - self._sums[at], self._counts[-1] - self._counts[at]

    def first(self, start: int) -> int:
        """Start of the oldest bucket that is not older than the one that holds `start`, which lies before `end`."""
        return self._quarters[bisect_left(self._quarters, start // QUARTER_MS)] * QUARTER_MS

    def drop(self, before: int) -> None:
        """Forget the buckets older than the one that holds `before`."""
        drop = bisect_left(self._quarters, before // QUARTER_MS)
        if drop == 0:
            return
        at = _skip(self._bytes, drop)
        if drop == len(self._quarters):
            self._bytes.clear()
            self._newest_at = self.end = 0
        else:
            gap, after = _read(self._bytes, at)
            head = bytearray()
            _write(head, self._quarters[drop] - _YEAR_ONE << 1 | gap & 1)
            self._bytes[:after] = head
            self._newest_at = 0 if self._newest_at == at else self._newest_at + len(head) - after
        del self._quarters[:drop]
        del self._sums[:drop]
        del self._counts[:drop]

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
        at = 0
        quarter = _YEAR_ONE
        size = len(data)
        while at < size:
            begin = at
            gap, at = _read(data, at)
            amount, at = _read(data, at)
            count = 1
            if gap & 1:
                count, at = _read(data, at)
            if gap < 2 and begin > 0:  # noqa: PLR2004 - no quarter between this bucket and the one before
                raise BucketsError(f"two buckets for one quarter-hour at byte {begin}")
            quarter += gap >> 1
            buckets._quarters.append(quarter)
            buckets._sums.append(buckets._sums[-1] + amount)
            buckets._counts.append(buckets._counts[-1] + count)
            buckets._newest_at = begin
        buckets._bytes = bytearray(data)
        buckets.end = (quarter + 1) * QUARTER_MS if size else 0
        return buckets

    def _append(self, quarter: int, amount: int, count: int) -> None:
        data = self._bytes
        gap = quarter - (self._quarters[-1] if self._quarters else _YEAR_ONE)
        self._newest_at = len(data)
        _write(data, gap << 1 | (count != 1))
        _write(data, amount)
        if count != 1:
            _write(data, count)
        self._quarters.append(quarter)
        self._sums.append(self._sums[-1] + amount)
        self._counts.append(self._counts[-1] + count)
        self.end = (quarter + 1) * QUARTER_MS

    def _insert(self, quarter: int, amount: int, count: int) -> None:
        """Put entries before the newest bucket: rare, so that writing all later buckets anew is good enough."""
        at = bisect_left(self._quarters, quarter)
        quarters, sums, counts = self._quarters[at:], self._sums[at:], self._counts[at:]
        del self._quarters[at:], self._sums[at + 1 :], self._counts[at + 1 :], self._bytes[_skip(self._bytes, at) :]
        self._append(quarter, amount, count)
        for i, later in enumerate(quarters):
            self.add(later * QUARTER_MS, sums[i + 1] - sums[i], counts[i + 1] - counts[i])


def total_since(buckets: Sequence[Buckets], start: int) -> tuple[int, int]:
    """Sum and count over several types, from the bucket that holds `start`."""
    amount = count = 0
    for each in buckets:
        if start < each.end:
            each_amount, each_count = each.total(start)
            amount += each_amount
            count += each_count
    return amount, count


def _write(data: bytearray, number: int) -> None:
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)


def _read(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Return the number that begins at `at`, and where the next one begins."""
    number = shift = 0
    try:
        while data[at] > 0x7F:  # noqa: PLR2004 - seven bits a byte
            number |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
        return number | data[at] << shift, at + 1
    except IndexError:
        raise BucketsError(f"the bytes end within a number, after {len(data)} bytes") from None


def _skip(data: bytearray, buckets: int) -> int:
    """Return where the bucket after the first `buckets` begins."""
    at = 0
    for _ in range(buckets):
        gap, at = _read(data, at)
        at = _read(data, at)[1]
        if gap & 1:
            at = _read(data, at)[1]
    return at
