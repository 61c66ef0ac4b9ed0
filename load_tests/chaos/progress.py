"""How far the inputs were taken, by the journal alone: what workers say of themselves may be old, or nothing yet."""

from typing import Self

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from schemas.journal import JournalRecord
from schemas.topics import INPUT_TOPICS

_journal = msgspec.json.Decoder(JournalRecord).decode
_ANSWER_S = 10


class Progress:
    """Follows the journal of all partitions."""

    def __init__(self, broker: str, partitions: int) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "load-test-progress",  # a name that librdkafka wants; no group is joined
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        numbers = range(partitions)
        self._consumer.assign([TopicPartition("journal", number, OFFSET_BEGINNING) for number in numbers])
        self._inputs = [TopicPartition(topic, number) for topic in INPUT_TOPICS for number in numbers]
        self._next: dict[tuple[str, int], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._consumer.close()

    def complete(self) -> bool:
        """Return whether everything that stands on the inputs was taken."""
        for message in self._consumer.consume(10_000, 0.2):
            if message.error() is None:
                unit = _journal(message.value() or b"")
                for taken in unit.inputs:
                    self._next[taken.topic, unit.partition] = taken.next
        try:
            return all(
                self._next.get((each.topic, each.partition), 0)
                >= self._consumer.get_watermark_offsets(each, timeout=_ANSWER_S)[1]
                for each in self._inputs
            )
        except KafkaException:  # a broker that has just come back does not yet lead everything
            return False
