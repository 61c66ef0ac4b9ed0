"""A worker's unit of work, stage by stage: all that it does but the network, its threads and Faust."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from agents.engine.batches import LARGEST_BATCH, Building
from agents.engine.fetched import FetchedRecord, PartitionRecords
from agents.engine.rows import Rows
from load_tests.month import Month
from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.rates import Rates
from pipeline.record import InputRecord
from schemas.topics import TOPICS

# As in `judge`: what a worker that is far behind was seen to commit at once.
_RECORDS = 1_500
# A worker that is behind looks at its clock once in so many units.
_UNITS_A_TICK = 5
_TABLES = ("windows", "dossiers")
_UNCOMPRESSED, _READ_COMMITTED = 0, 1


class Watch:
    """CPU seconds of this process by stage: other programs do not count."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Book what the block takes."""
        began = time.process_time()
        yield
        self.seconds[name] += time.process_time() - began


class Units:
    """One partition, from the bytes of a fetch to the bytes of the batches that its transaction writes."""

    def __init__(self, month: Month) -> None:
        self.watch = Watch()
        self.decisions = self.written_bytes = 0
        self._rows = {name: Rows() for name in _TABLES}
        books = Books(PolicyBook(month.policy), Rates())
        self._partition = Partition(0, None, books, self._rows["windows"].get, self._rows["dossiers"].get)
        self._counts = dict.fromkeys((*TOPICS, *_TABLES), 1)
        self._units = 0

    def do(self, topic: str, fetched: bytes) -> None:
        """Do what one fetch of the partition of a topic brought, up to the bytes of what is committed."""
        watch, self._units = self.watch, self._units + 1
        with watch.stage("unpack"):
            records = _unpacked(topic, fetched)
        with watch.stage("judge"):
            messages = self._partition.take(records)
        self.decisions += sum(message.topic == "decisions" for message in messages)
        with watch.stage("tick"):
            if self._units % _UNITS_A_TICK == 0:
                messages += self._partition.take((), records[-1].timestamp)
        with watch.stage("states"):
            changes = self._partition.changes()
            self._partition.tally.drain()
        changed = {"windows": changes.windows, "dossiers": changes.dossiers}
        with watch.stage("remember"):
            for name, values in changed.items():
                self._rows[name].change(values)
        with watch.stage("batches"):
            building = Building(self._counts, 0)
            building.add(messages)
            for name, values in changed.items():
                building.add_states(name, values)
            batches = building.batches()
        with watch.stage("checksums"):
            self.written_bytes += sum(len(batch.builder.build()) for batch in batches)


def unit(transactions: int, seed: int) -> dict[str, Any]:
    """Return the CPU microseconds of each stage a transaction, after a warm-up of a quarter."""
    month = Month(transactions, seed)
    units = Units(month)
    payments = list(month.payments())
    first = len(payments) // 4
    _do(units, "customer-events", list(month.grants()))
    _do(units, "transactions", payments[:first])
    units.watch.seconds.clear()
    units.decisions = units.written_bytes = 0
    measured = payments[first:]
    _do(units, "transactions", measured)
    stages = {name: round(seconds / len(measured) * 1e6, 2) for name, seconds in units.watch.seconds.items()}
    return {
        "transactions": len(measured),
        "decisions": units.decisions,
        **stages,
        "all": round(sum(stages.values()), 2),
        "bytes": round(units.written_bytes / len(measured)),
    }


def _do(units: Units, topic: str, records: Sequence[InputRecord]) -> None:
    for first in range(0, len(records), _RECORDS):
        units.do(topic, _fetched(records[first : first + _RECORDS]))


def _fetched(records: Iterable[InputRecord]) -> bytes:
    batch = BatchBuilder(100 * LARGEST_BATCH, _UNCOMPRESSED)
    for record in records:
        batch.append(timestamp=record.timestamp, key=record.key, value=record.value)
    return bytes(batch._build())  # noqa: SLF001 - what a producer sends


def _unpacked(topic: str, fetched: bytes) -> list[FetchedRecord]:
    place = TopicPartition(topic, 0)
    return list(PartitionRecords(place, MemoryRecords(fetched), [], 0, None, None, True, _READ_COMMITTED))  # noqa: FBT003
