"""Read a topic whole: from its beginning to where it ends now, committed records only, and then what comes."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from agents.broker import Broker, BrokerError
from agents.settings import Settings
from agents.topics import TopicsError
from pipeline.record import InputRecord
from schemas.codec import Decoded

M = TypeVar("M")

_AT_ONCE = 1_000
# A call waits for all it was asked for: short turns, or the end of a topic costs a whole one.
_TURN_S = 0.05
_PATIENCE_S = 10.0


class WholeTopic:
    """A reader of every record of a topic, each partition in its order: `with WholeTopic(settings, "policies") as …`.

    Raises:
        BrokerError: Kafka does not answer or lets nobody in; `TopicsError` where it has no such topic.

    """

    def __init__(self, settings: Settings, topic: str) -> None:
        """Find the topic's partitions."""
        found = Broker(settings).metadata().topics.get(topic)
        if found is None or found.error is not None:
            raise TopicsError(f"Kafka at {settings.broker} has no topic {topic}: `tierwatch topics create` makes it")
        self._broker = settings.broker
        self._topic = topic
        self._partitions = set(found.partitions)
        self._consumer = Consumer(
            {
                **settings.librdkafka(),
                "group.id": "tierwatch-reader",  # never joined: partitions are assigned, and nothing is committed
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
                "log_level": 0,  # what fails is raised
            }
        )

    def __enter__(self) -> Self:
        self._consumer.assign([TopicPartition(self._topic, each, OFFSET_BEGINNING) for each in self._partitions])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def to_the_end(self) -> Iterator[InputRecord]:
        """Give everything that stands there now; once, before `more`."""
        left = set(self._partitions)
        heard = time.monotonic()
        while left:
            messages = self._consume()
            if messages:
                heard = time.monotonic()
            elif time.monotonic() > heard + _PATIENCE_S:
                raise BrokerError(f"Kafka at {self._broker} fell silent while {self._topic} was read: try again")
            for message in messages:
                if message.error() is None:
                    yield _record(message)
                else:
                    left.discard(cast("int", message.partition()))

    def more(self, seconds: float) -> Iterator[InputRecord]:
        """Give what comes within a time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            yield from (_record(message) for message in self._consume() if message.error() is None)

    def _consume(self) -> list[KafkaMessage]:
        """Return records, and an error for each partition that has been read to its end."""
        messages = self._consumer.consume(_AT_ONCE, _TURN_S)
        for message in messages:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - it has no public name
                told = f"Kafka at {self._broker} does not give {self._topic}: {error.str()}"
                raise BrokerError(told) from KafkaException(error)
        return messages


def accepted(
    settings: Settings, topic: str, decode: Callable[[bytes], Decoded[M]], take: Callable[[M], object]
) -> list[M]:
    """What workers took of a topic, in order: what `decode` or `take` refuses with a ValueError is a dead letter.

    Raises:
        BrokerError: Kafka does not give the topic.

    """
    taken = []
    with WholeTopic(settings, topic) as whole:
        for record in whole.to_the_end():
            with suppress(ValueError):
                message = decode(record.value or b"").message
                take(message)
                taken.append(message)
    return taken


def _record(message: KafkaMessage) -> InputRecord:
    topic, partition, offset = cast("tuple[str, int, int]", (message.topic(), message.partition(), message.offset()))
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return InputRecord(topic, partition, offset, message.timestamp()[1], message.key(), message.value(), headers)
