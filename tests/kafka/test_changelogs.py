"""Recovery from changelogs as they are after a while: compacted, with tombstones, ended by markers, or emptied."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from agents.engine import positions
from agents.topics import CHANGELOGS
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import PARTITIONS, Worker, await_records, payment, prepare, publish_payments, read
from tests.kafka.own_broker import OwnBroker
from tests.kafka.test_faults import assert_exactly_once

CUSTOMERS = 20
# Compaction at once, instead of after a week.
EAGER = {
    "segment.ms": "500",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1000",
    "min.cleanable.dirty.ratio": "0.0",
    "delete.retention.ms": "0",
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Kafka]:
    with OwnBroker(tmp_path / "broker", {"log.cleaner.backoff.ms": "200", "log.initial.task.delay.ms": "100"}) as own:
        prepare(own.kafka)
        yield own.kafka


def send(kafka: Kafka, begin: int, end: int) -> None:
    publish_payments(kafka, [payment(number, f"c-{number % CUSTOMERS}") for number in range(begin, end)])


def set_up(kafka: Kafka, topic: str, config: dict[str, str]) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    for done in admin.incremental_alter_configs([resource]).values():
        done.result()


def recovered(worker: Worker) -> int:
    """Return how many changelog records its recovery read."""
    worker.ready()
    return int(re.findall(r"recovered partitions=.* records=(\d+)", worker.log())[-1])


@pytest.mark.timeout(400)
def test_a_compacted_changelog_with_tombstones_is_recovered(broker: Kafka, tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    folder.mkdir()
    with Worker(folder, broker.bootstrap) as worker:
        for step in range(10):
            send(broker, step * 40, step * 40 + 40)
            await_records(broker.bootstrap, "decisions", step * 40 + 40)
        assert worker.stop() == 0
    windows = CHANGELOGS["windows"]
    written = len(read(broker.bootstrap, windows))
    # A customer that was there and is deleted; Kafka compacts closed segments only, so something must follow it.
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for value in (b"a state", None):
        for number in range(PARTITIONS):
            producer.produce(windows, value, b"somebody gone", number)
    for changelog in CHANGELOGS.values():
        set_up(broker, changelog, EAGER)

    def compacted() -> bool:
        for number in range(PARTITIONS):
            producer.produce(windows, None, b"nobody", number)
        producer.flush(10)
        return len(read(broker.bootstrap, windows)) < written / 2

    until(compacted, "compaction", seconds=120)
    with Worker(folder, broker.bootstrap) as worker:
        assert recovered(worker) < written / 2
        send(broker, 400, 500)
        assert_exactly_once(broker, 500)
        assert worker.stop() == 0


@pytest.mark.timeout(300)
def test_an_emptied_changelog_begins_anew(broker: Kafka, tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    folder.mkdir()
    with Worker(folder, broker.bootstrap) as worker:
        send(broker, 0, 100)
        await_records(broker.bootstrap, "decisions", 100)
        assert worker.stop() == 0
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    ends = [TopicPartition(changelog, number, -1) for changelog in CHANGELOGS.values() for number in range(PARTITIONS)]
    for changelog in CHANGELOGS.values():  # Kafka deletes records of no topic that is only compacted
        set_up(broker, changelog, {"cleanup.policy": "delete"})
    for done in admin.delete_records(ends).values():
        done.result()
    with Worker(folder, broker.bootstrap) as worker:
        assert recovered(worker) == 0
        # Without a state there are no positions either: all inputs are judged again, from their beginning.
        decided = await_records(broker.bootstrap, "decisions", 200)
        assert len({message.value() for message in decided}) == 100
        assert worker.stop() == 0
    assert any(each.key() == positions.KEY for each in read(broker.bootstrap, CHANGELOGS["dossiers"]))
