"""Read a topic whole, once: from its beginning to where it ends now, committed records only."""

from collections.abc import Iterator
from typing import cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from agents.broker import Broker, BrokerError
from agents.settings import Settings
from agents.topics import TopicsError
from pipeline.record import InputRecord

_AT_ONCE = 5_000
_TURN_S = 0.5
# So many turns without a record or an end: Kafka went away while we read.
_PATIENT_TURNS = 20


def read_whole(settings: Settings, topic: str) -> Iterator[InputRecord]:
    """Give every record of a topic, each partition in its order.

    Raises:
        BrokerError: Kafka does not answer or lets nobody in; `TopicsError` where it has no such topic.

    """
    found = Broker(settings).metadata().topics.get(topic)
    if found is None or found.error is not None:
        raise TopicsError(f"Kafka at {settings.broker} has no topic {topic}: make it with `tierwatch topics create`")
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": "tierwatch-reader",  # never joined: partitions are assigned, and nothing is committed
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,  # what fails is raised
        }
    )
    try:
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in found.partitions])
        yield from _to_the_end(consumer, set(found.partitions), settings.broker)
    except KafkaException as error:
        raise BrokerError(f"Kafka at {settings.broker} does not give {topic}: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _to_the_end(consumer: Consumer, left: set[int], broker: str) -> Iterator[InputRecord]:
    quiet = 0
    while left:
        messages = consumer.consume(_AT_ONCE, _TURN_S)
        quiet = 0 if messages else quiet + 1
        if quiet == _PATIENT_TURNS:
            raise BrokerError(f"Kafka at {broker} fell silent for {_PATIENT_TURNS * _TURN_S:.0f} s: try again")
        for message in messages:
            error = message.error()
            if error is None:
                yield _record(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the constant has no public name
                left.discard(cast("int", message.partition()))
            else:
                raise KafkaException(error)


def _record(message: KafkaMessage) -> InputRecord:
    topic, partition, offset = cast("tuple[str, int, int]", (message.topic(), message.partition(), message.offset()))
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    key = message.key()
    return InputRecord(topic, partition, offset, message.timestamp()[1], key, message.value(), headers)
