"""Kafka's record batches, filled straight from what the pipeline made: one `send` for each would cost ten times that.

Runs once for every message and every changed state, so it makes nothing that the batch does not need.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pipeline.partitioning import partition_of
from pipeline.record import Message

# Each partition of these has one writer, the owner of that number, whoever a record is about: the audit is a chain, and
# the journal is about the partition.
OWN = frozenset(("audit", "journal"))


class Batch(NamedTuple):
    """Records for one partition; `builder` is aiokafka's."""

    topic: str
    partition: int
    builder: Any


class Building:
    """The batches of one transaction of partition `here`; `counts` are the partitions of each topic."""

    def __init__(self, create: Callable[[], Any], counts: Mapping[str, int], here: int) -> None:
        self._create = create
        self._counts = counts
        self._here = here
        self._now_ms = int(time.time() * 1000)
        self._made: dict[tuple[str, int], list[Any]] = {}

    def add(self, message: Message) -> None:
        """Add a message to the partition of its key; what has none, and what is `OWN`, stays where it was made."""
        topic, key = message.topic, message.key
        count = self._counts[topic]
        place = (topic, self._here % count) if key is None or topic in OWN else (topic, partition_of(key, count))
        batches = self._made.get(place)
        if batches is None:
            batches = self._made[place] = [self._create()]
        headers = list(message.headers)
        if batches[-1].append(timestamp=self._now_ms, key=key, value=message.value, headers=headers) is None:
            batches.append(self._create())
            # An empty batch takes a record of any size.
            batches[-1].append(timestamp=self._now_ms, key=key, value=message.value, headers=headers)

    def add_states(self, changelog: str, states: Mapping[bytes, bytes | None]) -> None:
        """Add changed states; None deletes."""
        now_ms = self._now_ms
        batches = self._made.setdefault((changelog, self._here), [self._create()])
        append = batches[-1].append
        for key, value in states.items():
            if append(timestamp=now_ms, key=key, value=value) is None:
                batches.append(self._create())
                append = batches[-1].append
                append(timestamp=now_ms, key=key, value=value)

    def batches(self) -> list[Batch]:
        """Return them in the order to send: first one of each partition, so that all join the transaction at once."""
        rounds = max(map(len, self._made.values()), default=0)
        return [
            Batch(topic, partition, batches[turn])
            for turn in range(rounds)
            for (topic, partition), batches in self._made.items()
            if turn < len(batches)
        ]
