"""One partition of a table in memory: the newest bytes of each key, committed or on their way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, cast

from agents.engine import positions


class ChangelogRecord(Protocol):
    """A record of a changelog."""

    @property
    def offset(self) -> int:
        """Within the partition."""
        ...

    @property
    def key(self) -> bytes | None:
        """Of the table."""
        ...

    @property
    def value(self) -> bytes | None:
        """The newest bytes; None deletes."""
        ...


class Rows:
    """What a partition of a table holds. `applied` is the offset of the last changelog record in it; None: not any."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self.applied: int | None = None
        self.get = self._values.get
        """The newest bytes of a key, or None."""
        # What has been restored is counted when somebody asks, all at once.
        self._counted = True
        self._size_bytes = 0
        self._customers = 0

    @property
    def size_bytes(self) -> int:
        """Of the values; keys are not counted."""
        self._count()
        return self._size_bytes

    @property
    def customers(self) -> int:
        """Keys that are a customer's own: what a customer has more of stands under longer keys with a NUL byte."""
        self._count()
        return self._customers

    def _count(self) -> None:
        if not self._counted:
            self._size_bytes = sum(map(len, self._values.values()))
            self._customers = sum(b"\0" not in key for key in self._values)
            self._counted = True

    def __len__(self) -> int:
        return len(self._values) - (positions.KEY in self._values)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Return all keys and values but the positions."""
        return ((key, value) for key, value in self._values.items() if key != positions.KEY)

    def change(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Hold new values; None deletes."""
        self._count()
        values = self._values
        for key, value in changes.items():
            before = values.get(key)
            if value is None:
                values.pop(key, None)
            else:
                values[key] = value
                self._size_bytes += len(value)
            if before is not None:
                self._size_bytes -= len(before)
            if (before is None) != (value is None) and b"\0" not in key:
                self._customers += 1 if before is None else -1

    def _hold(self, latest: Mapping[bytes, bytes | None]) -> None:
        self._counted = False
        gone = [key for key, value in latest.items() if value is None]
        self._values.update(cast("Mapping[bytes, bytes]", latest))
        for key in gone:
            del self._values[key]

    def restore(self, records: Sequence[ChangelogRecord]) -> int:
        """Apply records of the changelog in their order, those already applied left out; return how many were new."""
        last = self.applied
        new: Iterable[ChangelogRecord] = records
        if last is not None and records[0].offset <= last:
            new = [record for record in records if record.offset > last]
        latest = {record.key: record.value for record in new if record.key is not None}
        self._hold(latest)
        self.applied = max(records[-1].offset, -1 if last is None else last)
        return len(latest)
