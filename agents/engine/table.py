"""Real Faust tables that hold bytes: Faust assigns, recovers and lists them, the engine alone writes them."""

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from faust.stores.base import Store as StockStore
from faust.tables.table import Table as StockTable
from faust.types import TP, EventT

from agents.engine.rows import Rows


class ReadOnlyError(TypeError):
    """Somebody wrote into a table from outside the engine: that would be committed apart from what it was made of."""


class Store(StockStore[bytes, bytes]):
    """What a table holds, by partition: stock's memory store keeps the keys of partitions long lost."""

    def __post_init__(self) -> None:
        self.partitions: dict[int, Rows] = {}

    def rows(self, partition: int) -> Rows:
        """Return the rows of a partition, empty ones before its recovery."""
        return self.partitions.setdefault(partition, Rows())

    def persisted_offset(self, tp: TP) -> int | None:
        """Return the last changelog offset in memory: a stand-by's promotion begins there."""
        rows = self.partitions.get(tp.partition)
        return None if rows is None else rows.applied

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]], to_key: Any, to_value: Any) -> None:
        """Do nothing: `Recovery.on_fetched` applies whole fetches; stock applies 8,000 single records a second."""

    def reset_state(self) -> None:
        """Keep what is committed: `Recovery.on_rebalance` drops what is not."""

    async def backup_partition(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the changelog is the backup."""

    def restore_backup(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the changelog is the backup."""

    def __len__(self) -> int:
        return sum(map(len, self.partitions.values()))

    def __iter__(self) -> Iterator[bytes]:
        return (key for rows in list(self.partitions.values()) for key, _ in rows.items())

    def __getitem__(self, key: bytes) -> bytes:
        for rows in self.partitions.values():
            value = rows.get(key)
            if value is not None:
                return value
        raise KeyError(key)

    def __setitem__(self, key: bytes, value: bytes) -> NoReturn:
        raise ReadOnlyError(self.table_name)

    def __delitem__(self, key: bytes) -> NoReturn:
        raise ReadOnlyError(self.table_name)

    def _clear(self) -> None:
        self.partitions.clear()


class Table(StockTable[bytes, bytes]):
    """A table of bytes by bytes, read from anywhere, written by the engine's transactions only."""

    data: Store

    def _new_store(self) -> Store:
        return Store("memory://", self.app, self, table_name=self.name, loop=self.loop)

    def on_key_set(self, key: bytes, value: bytes) -> NoReturn:
        """Refuse: stock would send a changelog record of its own."""
        raise ReadOnlyError(self.name)

    def on_key_del(self, key: bytes) -> NoReturn:
        """Refuse: stock would send a changelog record of its own."""
        raise ReadOnlyError(self.name)
