"""The embedded broker: librdkafka's mock cluster, which ships in confluent-kafka.

Honest about what it is: memory only, one machine, one worker (its group protocol fails with a second member), four
partitions a topic whatever is asked for, no topic configuration, about 5 MB kept of each partition. It accepts
transactions and forgets what they promise: aborted records are visible and nobody is fenced.
"""

from types import TracebackType
from typing import Self

from confluent_kafka import Producer

from agents.topics import CHANGELOGS
from schemas.topics import TOPICS

PARTITIONS = 4
KEPT_BYTES = 5 * 1024 * 1024
"""What it keeps of each partition: older records are gone, read or not."""
_ANSWER_S = 10.0


class EmbeddedBroker:
    """A broker as long as the block lives: `with EmbeddedBroker() as broker: … broker.address`."""

    def __init__(self) -> None:
        # The address is ignored; the producer is only what the cluster hangs on.
        self._owner = Producer({"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._owner.list_topics(timeout=_ANSWER_S).brokers.values()
        self.address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        """What `TIERWATCH_BROKER` is to be."""
        for topic in (*TOPICS, *CHANGELOGS.values()):
            # It knows no other way to make a topic than to be asked about it.
            self._owner.list_topics(topic, timeout=_ANSWER_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._owner
