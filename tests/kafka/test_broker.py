"""The broker itself: what every other test against Kafka takes for granted."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from tests.services.kafka import Kafka


def test_what_a_transaction_commits_is_read_and_what_it_aborts_is_not(kafka: Kafka) -> None:
    topic = kafka.unique("broker")
    kafka.create(topic)
    assert asyncio.run(_values_after_an_abort_and_a_commit(kafka, topic)) == [b"committed"]


async def _values_after_an_abort_and_a_commit(kafka: Kafka, topic: str) -> list[bytes | None]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=kafka.unique("writer"))
    reader = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, isolation_level="read_committed")
    async with producer, reader:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed")

        reader.assign([TopicPartition(topic, 0)])
        await reader.seek_to_beginning()
        fetched = await asyncio.wait_for(reader.getone(), timeout=30)
        assert await reader.position(TopicPartition(topic, 0)) == fetched.offset + 1
        return [fetched.value]
