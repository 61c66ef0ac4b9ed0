"""The review clock on live topics: the worker's own time announces what is due, once, and stands in the journal."""

import time
from pathlib import Path

import msgspec
import pytest

from load_tests.city.approvers import Approvers, trusting_policy
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml, load_policy
from schemas.account_action import AccountAction
from schemas.entitlement import Entitlement
from schemas.timestamps import format_ms
from tests.kafka.grant import grant
from tests.kafka.house import Worker, await_records, prepare, publish, read
from tests.kafka.offline import Again, state

entitlement = msgspec.json.Decoder(Entitlement).decode
action = msgspec.json.Decoder(AccountAction).decode
SOON_MS = 6_000


@pytest.fixture
def approvers() -> Approvers:
    return Approvers(load_policy(default_yaml()), seed=2)


def test_a_grant_runs_out_by_itself_and_is_told_once(empty_kafka: Kafka, tmp_path: Path, approvers: Approvers) -> None:
    prepare(empty_kafka)
    yaml = trusting_policy(default_yaml(), approvers)
    (tmp_path / "policy.yaml").write_bytes(yaml)
    policy = load_policy(yaml)
    logs = tmp_path / "logs"
    logs.mkdir()
    with Worker(logs, empty_kafka.bootstrap, policy=str(tmp_path / "policy.yaml")) as worker:
        worker.ready()
        now_ms = int(time.time() * 1000)
        tier = policy.tiers[-1]
        review_at, expires_at = format_ms(now_ms + SOON_MS // 2), format_ms(now_ms + SOON_MS)
        short = grant(tier, "c-1", now_ms, review_at=review_at, expires_at=expires_at)
        publish(empty_kafka, "customer-events", [("c-1", approvers.sign(short, tier.approvals))])
        await_records(empty_kafka.bootstrap, "re-reviews", 1)
        until(lambda: worker.metric("tierwatch_reviews_scheduled") == 1, "the schedule")
        entitlements = await_records(empty_kafka.bootstrap, "entitlements", 2)
        assert worker.stop() == 0
    top = policy.tiers[-1].name
    assert [entitlement(message.value() or b"").tier for message in entitlements] == [top, "base"]
    changes = [action(message.value() or b"") for message in read(empty_kafka.bootstrap, "account-actions")]
    assert [(each.action, each.tier_from, each.tier_to) for each in changes][-1] == ("tier_change", top, "base")

    before = {topic: len(read(empty_kafka.bootstrap, topic)) for topic in ("re-reviews", "account-actions", "audit")}
    with Worker(logs, empty_kafka.bootstrap, policy=str(tmp_path / "policy.yaml")) as worker:
        worker.ready()
        until(
            lambda: worker.metric("tierwatch_commits_total", result="committed") >= 4, "the broker's time to be known"
        )
        until(lambda: worker.metric("tierwatch_partitions_owned") == 4, "a tick")
        assert worker.stop() == 0
    assert before == {topic: len(read(empty_kafka.bootstrap, topic)) for topic in before}

    again = Again(empty_kafka.bootstrap, policy)
    assert state(empty_kafka.bootstrap, "tierwatch-dossiers-changelog") == again.tables["dossiers"]
    for topic in ("re-reviews", "account-actions", "entitlements"):
        offline = [message.value for partition in range(4) for message in again.messages[topic, partition]]
        assert [message.value() for message in read(empty_kafka.bootstrap, topic)] == offline
