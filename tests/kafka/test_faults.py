"""What breaks in real life, on a real broker: nothing is lost, nothing repeated, and nobody has to restart a worker."""

import re
import signal
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from agents.engine.transactions import TIMEOUT_MS
from agents.topics import CHANGELOGS
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml, load_policy
from schemas.decision import Decision
from tests.kafka.house import Worker, await_records, payment, prepare, publish_payments
from tests.kafka.offline import Again, state
from tests.kafka.own_broker import OwnBroker

decision = msgspec.json.Decoder(Decision).decode
CUSTOMERS = 200


def send(kafka: Kafka, begin: int, end: int) -> None:
    publish_payments(kafka, [payment(number, f"c-{number % CUSTOMERS}") for number in range(begin, end)])


def owned(*workers: Worker) -> list[float]:
    return [worker.metric("tierwatch_partitions_owned") for worker in workers]


def assert_exactly_once(kafka: Kafka, count: int) -> None:
    """One decision for each payment, and both decisions and state as the journal makes them offline."""
    # After an outage the group's clients look for the broker with growing pauses.
    decided = await_records(kafka.bootstrap, "decisions", count, seconds=120)
    ids = Counter(decision(message.value() or b"").transaction_id for message in decided)
    assert ids == {f"t-{number}": 1 for number in range(count)}
    again = Again(kafka.bootstrap, load_policy(default_yaml()))
    assert [message.value() for message in decided] == [
        message.value for partition in range(4) for message in again.messages["decisions", partition]
    ]
    for table, changelog in CHANGELOGS.items():
        assert state(kafka.bootstrap, changelog) == again.tables[table]


def test_a_stand_by_takes_over_by_reading_only_the_rest(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    send(empty_kafka, 0, 4_000)
    with Worker(tmp_path, empty_kafka.bootstrap, standby_replicas="1") as first:
        await_records(empty_kafka.bootstrap, "decisions", 4_000)
        with Worker(tmp_path, empty_kafka.bootstrap, standby_replicas="1") as second:
            second.ready()
            until(lambda: owned(first, second) == [2, 2], "two partitions each", seconds=60)
            # Each then holds what it owns and a copy of what the other owns.
            until(lambda: held(first) == held(second) > 0, "copies of all states", seconds=60)
            send(empty_kafka, 4_000, 4_400)
            await_records(empty_kafka.bootstrap, "decisions", 4_400)
            until(lambda: held(first) == held(second), "copies of the newest states", seconds=60)
            second.process.send_signal(signal.SIGKILL)
            second.process.wait()
        send(empty_kafka, 4_400, 4_800)
        assert_exactly_once(empty_kafka, 4_800)
        read = int(re.findall(r"recovered partitions=.* records=(\d+)", first.log())[-1])
        assert read < CUSTOMERS / 4
        assert first.stop() == 0


def held(worker: Worker) -> float:
    return worker.metric("tierwatch_state_records_held")


def test_a_zombie_is_fenced_and_comes_back_by_itself(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap) as zombie, Worker(tmp_path, empty_kafka.bootstrap) as other:
        zombie.ready()
        other.ready()
        until(lambda: owned(zombie, other) == [2, 2], "two partitions each", seconds=60)
        send(empty_kafka, 0, 20_000)
        until(lambda: zombie.metric("tierwatch_records_total") > 0, "the worker to be in the middle", seconds=60)
        zombie.process.send_signal(signal.SIGSTOP)
        until(lambda: owned(other) == [4], "the other to have all partitions", seconds=60)
        await_records(empty_kafka.bootstrap, "decisions", 20_000)
        zombie.process.send_signal(signal.SIGCONT)
        until(lambda: owned(zombie, other) == [2, 2], "two partitions each again", seconds=90)
        send(empty_kafka, 20_000, 21_000)
        assert_exactly_once(empty_kafka, 21_000)
        assert (zombie.stop(), other.stop()) == (0, 0)


@pytest.mark.timeout(300)
def test_an_owner_whose_transaction_timed_out_recovers_without_a_restart(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap, session_timeout="60") as worker:
        worker.ready()
        send(empty_kafka, 0, 30_000)
        until(lambda: worker.metric("tierwatch_records_total") > 0, "the worker to be in the middle", seconds=60)
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(TIMEOUT_MS / 1000 + 3)  # the broker looks every second
        worker.process.send_signal(signal.SIGCONT)
        assert_exactly_once(empty_kafka, 30_000)
        assert worker.stop() == 0


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", ["frozen", "restarted"])
def test_an_outage_of_the_broker_is_ridden_out(tmp_path: Path, how: str) -> None:
    worker_folder = tmp_path / "worker"
    worker_folder.mkdir()
    with OwnBroker(tmp_path / "broker") as broker:
        prepare(broker.kafka)
        with Worker(worker_folder, broker.kafka.bootstrap) as worker:
            worker.ready()
            send(broker.kafka, 0, 12_000)
            until(lambda: worker.metric("tierwatch_records_total") > 0, "the worker to be in the middle", seconds=60)
            if how == "frozen":  # longer than the session timeout and than a transaction may last
                broker.send(signal.SIGSTOP)
                time.sleep(20)
                assert worker.metric("tierwatch_broker_up") == 0
                assert worker.answer("/health/ready") == (
                    503,
                    {"ready": False, "waits_for": "Kafka, which does not answer"},
                )
                assert worker.answer("/health/live")[0] == 200
                broker.send(signal.SIGCONT)
            else:
                broker.kill()
                time.sleep(5)
                broker.start()
            send(broker.kafka, 12_000, 12_500)
            assert_exactly_once(broker.kafka, 12_500)
            assert worker.process.poll() is None
            assert worker.stop() == 0
