"""`tierwatch simulate` on a real Kafka: a day needs history topics, and workers with its policy grant its tiers."""

import json
import os
import subprocess
import sys
from pathlib import Path

from agents.exit_codes import Exit
from load_tests.services.kafka import Kafka
from pipeline.policy.load import load_policy
from tests.kafka.house import Worker, await_records, prepare, read


def simulate(kafka: Kafka, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIERWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "console", "simulate", *arguments],
        env=environment | {"TIERWATCH_BROKER": kafka.bootstrap},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_whole_day_at_once_needs_topics_that_keep_its_times(empty_kafka: Kafka) -> None:
    prepare(empty_kafka)
    refused = simulate(empty_kafka, "--day", "50")
    assert refused.returncode == Exit.TOPICS
    assert "tierwatch topics create --history" in refused.stderr
    assert read(empty_kafka.bootstrap, "transactions") == []


def test_a_worker_with_the_written_policy_grants_every_tier(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    policy = tmp_path / "city.yaml"
    assert simulate(empty_kafka, "--write-policy", str(policy)).returncode == 0
    # A live city, of which only the people are there yet.
    done = simulate(empty_kafka, "--policy", str(policy), "--rate", "0.02", "--seconds", "0", "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(message.value() or b"") for message in read(empty_kafka.bootstrap, "customer-events")]
    granted = {event["customer_id"]: event["tier"] for event in events if event["event_type"] == "admission.approved"}
    assert set(granted.values()) == {tier.name for tier in load_policy(policy.read_bytes()).tiers[1:]}
    with Worker(tmp_path, empty_kafka.bootstrap, policy=str(policy)) as worker:
        worker.ready()
        messages = await_records(empty_kafka.bootstrap, "entitlements", len(granted))
        entitled = {
            entitlement["customer_id"]: entitlement["tier"]
            for entitlement in (json.loads(message.value() or b"") for message in messages)
        }
        # Of a few the review clock has meanwhile found that their review is long overdue.
        assert entitled.keys() == granted.keys()
        in_force = sum(entitled[customer] == tier for customer, tier in granted.items())
        assert in_force > 0.95 * len(granted)
        assert worker.stop() == 0
