"""The newest records of a topic, each partition's: a sample, read without a group."""

import time
from collections.abc import Mapping
from typing import cast

from confluent_kafka import Consumer, Message, TopicPartition

from agents.settings import Settings

_PATIENCE_S = 10.0
_TURN_S = 0.05


def newest(
    settings: Settings, ends: Mapping[tuple[str, int], int], count: int, *, committed: bool = True
) -> list[Message]:
    """Return up to `count` records before each of these ends, in order; fewer where markers or compaction took some."""
    return since(settings, {place: max(0, end - count) for place, end in ends.items() if end > 0}, committed=committed)


def since(settings: Settings, starts: Mapping[tuple[str, int], int], *, committed: bool = True) -> list[Message]:
    """Return all records from these offsets on, partition by partition in order."""
    places = [TopicPartition(topic, number, offset) for (topic, number), offset in starts.items()]
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": "tierwatch-doctor",  # never joined
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
            "log_level": 0,
        }
    )
    try:
        consumer.assign(places)
        found: list[Message] = []
        left = set(starts)
        until = time.monotonic() + _PATIENCE_S
        while left and time.monotonic() < until:
            for message in consumer.consume(1_000, _TURN_S):
                if message.error() is None:
                    found.append(message)
                else:
                    left.discard(cast("tuple[str, int]", (message.topic(), message.partition())))
        return found
    finally:
        consumer.close()
