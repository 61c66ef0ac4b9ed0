"""A broker may forget a transaction whose data stand in its log: the next commit must not bring them to light."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidTxnState
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from agents.exit_codes import Exit
from agents.topics import APP_ID, CHANGELOGS
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import Worker, await_records, prepare, read
from tests.kafka.test_faults import assert_exactly_once, send

NUMBER = 0
OWN = (*CHANGELOGS.values(), "journal")
PLANTED = b"never committed"


@contextmanager
def unverified(kafka: Kafka) -> Iterator[None]:
    """Let the broker take transactional records of which its coordinator knows nothing."""

    def set_to(value: str) -> None:
        entry = ConfigEntry(
            "transaction.partition.verification.enable", value, incremental_operation=AlterConfigOpType.SET
        )
        broker = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[entry])
        for done in kafka.admin.incremental_alter_configs([broker]).values():
            done.result()

    set_to("false")
    try:
        yield
    finally:
        set_to("true")


def leave_hanging(kafka: Kafka, topics: Sequence[str]) -> None:
    """Do as the owner of a partition whose broker forgets that a transaction has begun."""

    async def leave() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=f"{APP_ID}-{NUMBER}")
        await producer.start()
        await producer.begin_transaction()
        try:
            for topic in topics:
                producer._txn_manager._txn_partitions.add(TopicPartition(topic, NUMBER))  # the coordinator is not told
                await producer.send_and_wait(topic, PLANTED, key=PLANTED, partition=NUMBER)
        finally:
            producer._closed = True
            await producer._sender.close()
            await producer.client.close()

    def left() -> bool:
        try:
            asyncio.run(leave())
        except InvalidTxnState:  # the broker has not yet heard of its new setting
            return False
        return True

    with unverified(kafka):
        until(left, "the broker to take what it cannot verify")


def test_what_hangs_is_aborted_by_the_next_owner(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        send(empty_kafka, 0, 400)
        await_records(empty_kafka.bootstrap, "decisions", 400)
        assert worker.stop() == 0
    leave_hanging(empty_kafka, [*OWN, "decisions"])
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        worker.said("aborted what hung")
        send(empty_kafka, 400, 800)
        assert_exactly_once(empty_kafka, 800)
        assert worker.stop() == 0
    for topic in ("journal", "decisions"):
        assert PLANTED in {message.value() for message in read(empty_kafka.bootstrap, topic, "read_uncommitted")}
        assert PLANTED not in {message.value() for message in read(empty_kafka.bootstrap, topic)}


def test_nobody_guesses_how_half_a_transaction_ended(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    leave_hanging(empty_kafka, ["journal"])
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        assert worker.ended() == Exit.FAILED
        assert f"not in journal[{NUMBER}], where it hangs" in worker.log()
