"""`tierwatch simulate` against the embedded broker: what it publishes, and what it says of policies."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from agents.embedded import PARTITIONS, EmbeddedBroker
from agents.exit_codes import Exit
from console.simulate import events
from load_tests.city import City, Event
from pipeline.partitioning import partition_of
from pipeline.policy.load import load_policy
from schemas.topics import CUSTOMER_TOPICS
from tests.kafka.house import read


@pytest.fixture
def broker() -> Iterator[str]:
    with EmbeddedBroker() as embedded:
        yield embedded.address


def simulate(broker: str, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIERWATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "console", "simulate", *arguments],
        env=environment | {"TIERWATCH_BROKER": broker},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def test_a_day_stands_on_the_topics_as_a_good_processor_writes_it(broker: str) -> None:
    done = simulate(broker, "--day", "300", "--json")
    published = json.loads(done.stdout)["published"]
    assert published["transactions"] + published["transactions-priority"] >= 300
    found = [message for topic in CUSTOMER_TOPICS for message in read(broker, topic)]
    assert len(found) == sum(published[topic] for topic in published if topic != "rates")
    for message in found:
        if (key := message.key()) is not None:
            assert message.partition() == partition_of(key, PARTITIONS)
    assert "start them with what `tierwatch simulate --write-policy FILE` writes" in " ".join(done.stderr.split())


class ThreePayments:
    """A city in which something happened just now, happens soon, and happens tomorrow."""

    def __init__(self, *times_ms: int) -> None:
        self._times_ms = times_ms

    def rates(self) -> Iterator[Event]:
        yield from ()

    def opening(self) -> Iterator[Event]:
        yield from ()

    def days(self, _: int) -> Iterator[Event]:
        for at_ms in self._times_ms:
            yield Event(at_ms, "transactions", b"c-1", b"{}")


def test_each_event_waits_for_its_time_and_the_end_waits_for_nothing() -> None:
    now_ms = time.time_ns() // 1_000_000
    city = ThreePayments(now_ms - 1000, now_ms + 300, now_ms + 86_400_000)
    begun = time.monotonic()
    seen = [
        (event.at_ms - now_ms, time.time_ns() // 1_000_000 - now_ms)
        for event in events(cast("City", city), now_ms, begun + 0.5, yesterday=False)
        if event is not None
    ]
    assert [at_ms for at_ms, _ in seen] == [-1000, 300]
    assert seen[1][1] >= 300
    assert 0.5 <= time.monotonic() - begun < 30


def test_a_live_city_begins_with_its_people_and_ends_when_told(broker: str) -> None:
    published = json.loads(simulate(broker, "--rate", "0.01", "--seconds", "0.1", "--json").stdout)["published"]
    assert published["customer-events"] > 0
    assert published["rates"] > 0


def test_the_policy_it_writes_trusts_its_city(broker: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    simulate(broker, "--write-policy", str(policy))
    assert {person.name for person in load_policy(policy.read_bytes()).people} >= {"simulated-approver-1"}
    assert simulate(broker, "--policy", str(policy), "--day", "50").stderr == ""
    # Another seed has other keys under the same names.
    assert (
        "does not know the city's approvers"
        in simulate(broker, "--policy", str(policy), "--day", "50", "--seed", "2").stderr
    )
    refused = simulate(broker, "--policy", str(policy), "--write-policy", str(policy), code=Exit.BAD_INPUT)
    assert "people: []" in refused.stderr


def test_no_broker_is_one_clear_line() -> None:
    done = simulate("localhost:1", "--day", "50", code=Exit.NO_BROKER)
    assert "no Kafka answers at localhost:1" in done.stderr
    assert "Traceback" not in done.stderr
