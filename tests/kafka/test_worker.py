"""One worker on a real broker: every record has exactly one outcome, whatever happens to the process."""

import signal
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from agents.topics import CHANGELOGS
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml, load_policy
from schemas.codec import encode
from schemas.decision import Decision
from tests.kafka.house import (
    Worker,
    await_records,
    headers,
    payment,
    prepare,
    publish,
    publish_payments,
    read,
)
from tests.kafka.offline import Again, state

decision = msgspec.json.Decoder(Decision).decode
CUSTOMERS = 40


@pytest.fixture
def topics(empty_kafka: Kafka) -> Kafka:
    prepare(empty_kafka)
    return empty_kafka


def assert_each_decided_once(kafka: Kafka, count: int) -> None:
    """Wait for as many decisions as payments `t-0` … were sent, and see that the offline run agrees in every byte."""
    decided = await_records(kafka.bootstrap, "decisions", count)
    by_id = Counter(decision(message.value() or b"").transaction_id for message in decided)
    assert by_id == {f"t-{number}": 1 for number in range(count)}

    again = Again(kafka.bootstrap, load_policy(default_yaml()))
    for topic in ("transactions", "transactions-priority"):
        for partition in {number for number, _ in again.inputs[topic]}:
            there = [offset for number, offset in again.inputs[topic] if number == partition]
            assert sorted(again.taken[topic, partition]) == sorted(there)
    assert [message.value() for message in decided] == [
        message.value for partition in range(4) for message in again.messages["decisions", partition]
    ]
    for table, changelog in CHANGELOGS.items():
        assert state(kafka.bootstrap, changelog) == again.tables[table]


def test_both_lanes_are_judged_and_what_cannot_be_is_a_dead_letter(topics: Kafka, tmp_path: Path) -> None:
    payments = [payment(number, f"c-{number % CUSTOMERS}") for number in range(400)]
    keyless = encode(payment(400, "c-1"))
    with Worker(tmp_path, topics.bootstrap) as worker:
        worker.ready()
        publish_payments(topics, payments[:300])
        publish_payments(topics, payments[300:], "transactions-priority")
        publish_payments(topics, payments[:3])  # told again
        publish(topics, "transactions", [("c-1", b"\xff"), (None, keyless), ("c-1", b"no JSON")])
        letters = await_records(topics.bootstrap, "dead-letters", 3)
        assert_each_decided_once(topics, 400)
        assert worker.stop() == 0
    told = {(headers(letter)["reason"], letter.key(), letter.value()) for letter in letters}
    assert told == {(b"not_utf8", b"c-1", b"\xff"), (b"empty_key", None, keyless), (b"not_json", b"c-1", b"no JSON")}
    assert all(headers(letter)["tw_worker_version"] for letter in letters)
    lanes = Counter(decision(message.value() or b"").lane for message in read(topics.bootstrap, "decisions"))
    assert lanes == {"standard": 300, "priority": 100}


def test_a_worker_that_was_stopped_goes_on_where_it_was(topics: Kafka, tmp_path: Path) -> None:
    for begin in (0, 200):
        with Worker(tmp_path, topics.bootstrap) as worker:
            worker.ready()
            publish_payments(
                topics, [payment(number, f"c-{number % CUSTOMERS}") for number in range(begin, begin + 200)]
            )
            await_records(topics.bootstrap, "decisions", begin + 200)
            assert worker.stop() == 0
    assert_each_decided_once(topics, 400)


def test_a_worker_that_is_killed_loses_nothing_and_repeats_nothing(topics: Kafka, tmp_path: Path) -> None:
    count = 12_000
    publish_payments(topics, [payment(number, f"c-{number % 500}") for number in range(count)])
    for _ in range(2):
        with Worker(tmp_path, topics.bootstrap) as worker:
            worker.ready()
            # Other partitions are then in the middle of a transaction, or have judged what is not yet committed.
            until(lambda: worker.metric("tierwatch_records_total") > 0, "a first commit", seconds=60)
            worker.process.send_signal(signal.SIGKILL)
            worker.process.wait()
    with Worker(tmp_path, topics.bootstrap):
        assert_each_decided_once(topics, count)


def test_a_record_too_large_for_its_own_dead_letter_stands_in_nobodys_way(topics: Kafka, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": topics.bootstrap, "message.max.bytes": 2_000_000})
    hostile: dict[str, str | bytes | None] = {f"h{number}": b"x" * 20 for number in range(4_000)}
    producer.produce("transactions", key=b"c-1", value=b"?" * 890_000, headers=hostile)
    producer.produce("transactions", key=b"c" * 500_000, value=b"?" * 540_000)
    assert producer.flush(30) == 0
    publish_payments(topics, [payment(0, "c-1")])
    with Worker(tmp_path, topics.bootstrap) as worker:
        letters = await_records(topics.bootstrap, "dead-letters", 2)
        await_records(topics.bootstrap, "decisions", 1)
        assert worker.stop() == 0
    assert {headers(each)["reason"] for each in letters} == {b"not_json"}


def test_two_workers_share_the_partitions_and_one_that_dies_is_replaced(topics: Kafka, tmp_path: Path) -> None:
    payments = [payment(number, f"c-{number % CUSTOMERS}") for number in range(900)]
    with Worker(tmp_path, topics.bootstrap) as first:
        first.ready()
        publish_payments(topics, payments[:300])
        with Worker(tmp_path, topics.bootstrap) as second:
            second.ready()
            both = (first, second)
            until(
                lambda: [worker.metric("tierwatch_partitions_owned") for worker in both] == [2, 2],
                "two partitions each",
                seconds=60,
            )
            publish_payments(topics, payments[300:600])
            await_records(topics.bootstrap, "decisions", 600)
            second.process.send_signal(signal.SIGKILL)
            second.process.wait()
        publish_payments(topics, payments[600:])
        assert_each_decided_once(topics, 900)
        assert first.stop() == 0
