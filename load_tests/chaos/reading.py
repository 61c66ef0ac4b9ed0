"""Whole partitions as a reader of committed records finds them."""

from collections.abc import Sequence
from typing import cast

from confluent_kafka import Consumer, Message, TopicPartition

from pipeline.record import Headers, InputRecord

_AT_ONCE = 10_000


def read(broker: str, topics: Sequence[str], partition: int) -> dict[str, list[InputRecord]]:
    """Return all committed records of a partition number, by topic and in the order of their offsets."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "load-test-judge",  # a name that librdkafka wants; no group is joined
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    found: dict[str, list[InputRecord]] = {topic: [] for topic in topics}
    left = set(topics)
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for topic in topics])
        while left:
            for message in consumer.consume(_AT_ONCE, 1.0):
                if message.error() is None:
                    found[message.topic() or ""].append(_record(message))
                else:  # the end of a partition: the only error that may come here
                    left.discard(message.topic() or "")
    finally:
        consumer.close()
    return found


def partitions(broker: str, topic: str) -> int:
    """Return how many partitions a topic has."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "load-test-judge", "log_level": 0})
    try:
        return len(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
    finally:
        consumer.close()


def _record(message: Message) -> InputRecord:
    return InputRecord(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(cast("Headers", message.headers() or ())),
    )
