"""Kafka's record batches, filled straight from what the pipeline made: one `send` for each would cost ten times that.

Runs once for every message and every changed state, so it makes nothing that the batch does not need.
"""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from pipeline.partitioning import partition_of
from pipeline.record import Message
from schemas.timestamps import parse_ms

# The broker refuses a batch above 1 MiB, and the producer is then out of sequence for good.
LARGEST_BATCH = 900_000
_MAGIC, _UNCOMPRESSED, _NOBODY = 2, 0, -1

# Each partition of these has one writer, the owner of that number, whoever a record is about: the audit is a chain, and
# the journal is about the partition.
OWN = frozenset(("audit", "journal"))

# What workers read again carries the arrival that it goes back to: loaded history is taken by its records' own times.
INTERNAL = "entity-labels"


class Batch(NamedTuple):
    """So many records for one partition; whose they are, the builder is told before it builds."""

    topic: str
    partition: int
    records: int
    builder: DefaultRecordBatchBuilder


class _Filling:
    """The batches for one partition; the last of them takes records."""

    def __init__(self) -> None:
        self.full: list[tuple[int, DefaultRecordBatchBuilder]] = []
        self._begin()

    def _begin(self) -> None:
        self._builder = DefaultRecordBatchBuilder(
            _MAGIC,
            _UNCOMPRESSED,
            is_transactional=1,
            producer_id=_NOBODY,
            producer_epoch=_NOBODY,
            base_sequence=0,
            batch_size=LARGEST_BATCH,
        )
        self._append = self._builder.append
        self._count = 0

    def add(self, now_ms: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]) -> None:
        if self._append(self._count, now_ms, key, value, headers) is None:
            self.end()
            self._begin()
            # An empty batch takes a record of any size.
            self._append(0, now_ms, key, value, headers)
        self._count += 1

    def end(self) -> None:
        self.full.append((self._count, self._builder))


class Building:
    """The batches of one transaction of partition `here`; `counts` are the partitions of each topic."""

    def __init__(self, counts: Mapping[str, int], here: int) -> None:
        self._counts = counts
        self._here = here
        self._now_ms = int(time.time() * 1000)
        self._made: dict[tuple[str, int], _Filling] = {}

    def add(self, messages: Iterable[Message]) -> None:
        """Add messages to the partitions of their keys; what has none, and what is `OWN`, stays where it was made."""
        counts, here, now_ms, made = self._counts, self._here, self._now_ms, self._made
        for message in messages:
            topic, key = message.topic, message.key
            count = counts[topic]
            place = topic, here % count if key is None or topic in OWN else partition_of(key, count)
            filling = made.get(place)
            if filling is None:
                filling = made[place] = _Filling()
            at_ms = now_ms if topic != INTERNAL else _own_ms(message)
            filling.add(at_ms, key, message.value, list(message.headers))

    def add_states(self, changelog: str, states: Mapping[bytes, bytes | None]) -> None:
        """Add changed states; None deletes."""
        now_ms, filling = self._now_ms, self._made.setdefault((changelog, self._here), _Filling())
        for key, value in states.items():
            filling.add(now_ms, key, value, [])

    def batches(self) -> list[Batch]:
        """Return them; those of one partition stand in their order."""
        for filling in self._made.values():
            filling.end()
        return [Batch(*place, *each) for place, filling in self._made.items() for each in filling.full]


def _own_ms(message: Message) -> int:
    return next(parse_ms(value.decode()) for name, value in message.headers if name == "ce_time")
