"""The broker itself: what every other test against Kafka takes for granted."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from load_tests.services.kafka import Kafka


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


def test_an_empty_kafka_has_neither_topics_nor_positions(empty_kafka: Kafka) -> None:
    empty_kafka.create("transactions", partitions=2)
    asyncio.run(_read_and_commit_one(empty_kafka, "transactions", group="readers"))

    empty_kafka.clear()

    assert empty_kafka.topics() == set()
    empty_kafka.create("transactions", partitions=2)
    asyncio.run(_read_and_commit_one(empty_kafka, "transactions", group="readers"))


async def _read_and_commit_one(kafka: Kafka, topic: str, *, group: str) -> None:
    settings = {"bootstrap_servers": kafka.bootstrap}
    reader = AIOKafkaConsumer(topic, **settings, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False)
    async with AIOKafkaProducer(**settings) as producer, reader:
        await producer.send_and_wait(topic, b"first", partition=1)
        assert (await asyncio.wait_for(reader.getone(), timeout=30)).offset == 0
        await reader.commit()


def test_the_other_listener_asks_for_credentials(kafka: Kafka) -> None:
    def brokers(password: str) -> int:
        settings: dict[str, str | int | float | bool] = {
            "bootstrap.servers": kafka.sasl_bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": kafka.username,
            "sasl.password": password,
        }
        return len(AdminClient(settings).list_topics(timeout=5).brokers)

    assert brokers(kafka.password) == 1
    with pytest.raises(KafkaException):
        brokers("wrong")


def test_a_topic_that_nobody_made_does_not_appear(kafka: Kafka) -> None:
    misspelt = kafka.unique("transactoins")
    refused: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.timeout.ms": 3000})
    producer.produce(misspelt, b"lost?", on_delivery=lambda error, _: refused.append(error))
    producer.flush(10)
    assert len(refused) == 1
    assert refused[0] is not None
    assert misspelt not in kafka.topics()
