"""`tierwatch doctor` on a house that is well, and on one in which much is ill: each with what to do."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from agents.broker import Broker
from agents.doctor.group import workers
from agents.doctor.pager import pager
from agents.exit_codes import Exit
from agents.paging import keeper, teller
from agents.topics import compare, look
from load_tests.services.kafka import Kafka
from load_tests.services.run import free_ports
from load_tests.services.wait import until
from pipeline.partitioning import partition_of
from schemas.case import Case
from schemas.codec import encode
from schemas.journal import JournalRecord
from schemas.timestamps import MS_PER_HOUR, format_ms
from tests.command import tierwatch
from tests.kafka.house import (
    PARTITIONS,
    Worker,
    await_records,
    payment,
    prepare,
    publish,
    publish_payments,
    publish_stamped,
    settings,
)

CASE = Path(__file__).parents[2] / "schemas" / "golden" / "case" / "v1-minimal.json"


def examined(kafka: Kafka, code: Exit, **environment: str) -> dict[str, list[dict[str, Any]]]:
    """Return what the doctor says by its questions, and see how it ends."""
    done = tierwatch("doctor", "--json", stdin=b"", TIERWATCH_BROKER=kafka.bootstrap, **environment)
    assert done.returncode == code, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] == (code is Exit.OK)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in told["findings"]:
        assert bool(finding["do"]) == (finding["state"] != "well"), finding
        found.setdefault(finding["check"], []).append(finding)
    return found


def states(found: dict[str, list[dict[str, Any]]]) -> dict[str, set[str]]:
    return {check: {finding["state"] for finding in findings} for check, findings in found.items()}


@pytest.fixture
def house(empty_kafka: Kafka) -> Kafka:
    prepare(empty_kafka)
    return empty_kafka


def test_a_house_that_is_well(house: Kafka, redis_url: str, tmp_path: Path) -> None:
    with Worker(tmp_path, house.bootstrap, redis=redis_url) as worker:
        worker.ready()
        publish_payments(house, [payment(number, f"c-{number}") for number in range(20)])
        await_records(house.bootstrap, "decisions", 20)
        found = states(examined(house, Exit.OK, TIERWATCH_REDIS=redis_url))
        assert found.pop("program") <= {"well", "warning"}  # compiled or not
        asked = (
            "broker",
            "certificates",
            "redis",
            "topics",
            "workers",
            "lag",
            "pager",
            "partitioner",
            "policy",
            "versions",
        )
        assert found == {check: {"well"} for check in (*asked, "clock", "transactions")}
        said = tierwatch("doctor", TIERWATCH_BROKER=house.bootstrap).stdout.decode()
        assert "ok   workers: 1 at work" in said


def test_what_is_ill_is_told_with_what_to_do(house: Kafka) -> None:
    _change_a_topic(house)
    _misplace_a_key(house)
    _judge_by_another_policy(house)
    publish(house, "journal", [("0", b"no journal record")])
    hanging = _begin_and_never_end(house)
    # A worker of an earlier test that was killed is a member until its session ends.
    until(lambda: next(workers(house.admin)).state == "ill", "nobody to be left in the group")
    (nobody,) = free_ports(1)
    nowhere = {
        "TIERWATCH_REDIS": f"redis://127.0.0.1:{nobody}/0",
        "TIERWATCH_ALERTMANAGER": f"http://127.0.0.1:{nobody}",
    }
    found = examined(house, Exit.UNWELL, **nowhere)
    hanging.abort_transaction()
    ill = {check for check, seen in states(found).items() if "ill" in seen}
    assert ill == {"workers", "pager", "redis", "partitioner", "policy", "transactions"}
    assert found["versions"][0]["state"] == "well"
    (stray,) = found["journal"]
    assert (stray["state"], "no journal record" in stray["says"]) == ("warning", True)
    (topic,) = found["topics"]
    assert "alerts: retention.ms is 1000" in topic["says"]
    assert topic["do"].startswith("kafka-configs.sh ")
    assert found["partitioner"][0]["says"] == "bad-processor: 1 of 1 keys on a wrong partition"
    assert found["workers"][0]["do"] == "Start one: tierwatch worker"
    assert "abort --topic notifications --partition 0 --start-offset 0" in found["transactions"][0]["do"]


def _change_a_topic(kafka: Kafka) -> None:
    resource = ConfigResource(ResourceType.TOPIC, "alerts")
    resource.add_incremental_config(ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET))
    for done in kafka.admin.incremental_alter_configs([resource]).values():
        done.result()
    # The controller has it; the broker, busy with all the topics that were just made, tells of it later.
    mine = settings(kafka.bootstrap, partitions=str(PARTITIONS))
    until(lambda: any(each.differences for each in compare(mine)), "the broker to tell of the change")


def _misplace_a_key(kafka: Kafka) -> None:
    wrong = (partition_of(b"c-1", PARTITIONS) + 1) % PARTITIONS
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce("transactions", encode(payment(1, "c-1", source="bad-processor")), b"c-1", wrong)
    assert producer.flush(10) == 0


def _judge_by_another_policy(kafka: Kafka) -> None:
    record = JournalRecord(
        partition=0, inputs=(), policy_version=7, policy_hash="ff", policies_next=1, rates_next=0, engine_version="1"
    )
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce("journal", encode(record), b"0", 0)
    assert producer.flush(10) == 0


def _begin_and_never_end(kafka: Kafka) -> Producer:
    """Leave a transaction open whose first record says that it is two minutes old."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "somebody-else"})
    producer.init_transactions(10)
    producer.begin_transaction()
    producer.produce("notifications", b"{}", b"c-1", 0, timestamp=int(time.time() * 1000) - 120_000)
    assert producer.flush(10) == 0
    return producer


@contextmanager
def member(kafka: Kafka, group: str, topic: str) -> Iterator[None]:
    """Somebody who is in a group, and does nothing."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group, "enable.auto.commit": False})
    consumer.subscribe([topic])
    until(lambda: consumer.poll(0.05) or consumer.assignment(), "its part of the group")
    try:
        yield
    finally:
        consumer.close()


def test_a_pager_that_stands_still_is_told_and_one_that_lets_a_case_sleep_is_not(house: Kafka) -> None:
    now_ms = int(time.time() * 1000)
    mine = settings(house.bootstrap)
    topics = look(Broker(mine)).partitions
    asleep = msgspec.json.decode(CASE.read_bytes(), type=Case)
    asleep = msgspec.structs.replace(asleep, snoozed_until=format_ms(now_ms + MS_PER_HOUR))
    with member(house, keeper.GROUP, "alerts"), member(house, teller.GROUP, "cases"):
        publish_stamped(house, "cases", [("k", encode(asleep), now_ms - MS_PER_HOUR)])
        # Just made, its topics may have leaders that Kafka's clients do not know yet.
        until(lambda: all(each.state == "well" for each in pager(mine, house.admin, topics)), "both to be well")
        awake = msgspec.structs.replace(asleep, case_id="awake", snoozed_until="")
        publish_stamped(house, "cases", [("k", encode(awake), now_ms - MS_PER_HOUR)])
        cases, told = pager(mine, house.admin, topics)
        assert (cases.state, told.state) == ("well", "warning")
        assert (
            told.says
            == f"tierwatch-pager stands still: what it has to do next waits since {format_ms(now_ms - MS_PER_HOUR)}"
        )


def test_no_broker_is_told_as_such() -> None:
    (nobody,) = free_ports(1)
    done = tierwatch("doctor", TIERWATCH_BROKER=f"127.0.0.1:{nobody}")
    assert done.returncode == Exit.NO_BROKER
    assert b"no Kafka answers" in done.stderr
