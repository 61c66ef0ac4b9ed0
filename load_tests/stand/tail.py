"""The last committed records of a topic, read without reading the topic: what is measured is not disturbed."""

from typing import Self

from confluent_kafka import Consumer, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

# A transaction's marker takes an offset; more than some in a row without a record there are not.
_MARKERS = 20
# `consume` waits so long for as many; a round must not end much later than its last record comes.
_PATIENCE_S = 0.1


class Tail:
    """A topic as a reader of committed records sees it."""

    def __init__(self, broker: str, topic: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": broker, "log_level": 0})
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "load-test-tail",  # a name that librdkafka wants; no group is joined
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                # What is asked of one place is over before another is asked for.
                "fetch.wait.max.ms": 10,
                "log_level": 0,
            }
        )
        self._partitions = [
            TopicPartition(topic, number) for number in self._consumer.list_topics(topic).topics[topic].partitions
        ]

    def ends(self) -> dict[int, int]:
        """Return the offset after the last committed record of each partition."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = dict.fromkeys(self._partitions, latest)
        answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED)
        return {partition.partition: done.result().offset for partition, done in answers.items()}

    def last(self, partition: int, end: int) -> bytes | None:
        """Return the value of the last committed record before `end`, empty where there is none; None: ask again.

        A topic that was made anew under its old name may be read by what was known of the old one, and brings nothing.
        """
        if end == 0:
            return b""
        first = TopicPartition(self._partitions[0].topic, partition, max(0, end - _MARKERS))
        self._consumer.assign([first])
        value = b""
        while messages := self._consumer.consume(_MARKERS, _PATIENCE_S):
            for message in messages:
                if message.error() is not None or (message.offset() or 0) >= end:
                    return value
                value = message.value() or b""
        return value or None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._consumer.close()
