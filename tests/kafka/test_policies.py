"""What every worker reads whole: a policy approved by its people takes effect, and what it says is said once."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from load_tests.city.approvers import Approvers, trusting_policy
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml, load_policy, policy_digest
from pipeline.policy.model import Tier
from schemas.audit import AuditEntry
from schemas.decision import Decision
from schemas.signing import canonical
from schemas.timestamps import format_ms
from tests.kafka.grant import grant
from tests.kafka.house import Worker, await_records, headers, payment, prepare, publish, publish_payments, read

audit = msgspec.json.Decoder(AuditEntry).decode
decision = msgspec.json.Decoder(Decision).decode


class House:
    """A broker with topics, a policy with people, and who signs for them."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self.kafka = kafka
        self.folder = folder
        self.approvers = Approvers(load_policy(default_yaml()), seed=1)
        self.yaml = trusting_policy(default_yaml(), self.approvers)
        self.policy = load_policy(self.yaml)
        (folder / "policy.yaml").write_bytes(self.yaml)

    def worker(self) -> Worker:
        logs = self.folder / "logs"
        logs.mkdir(exist_ok=True)
        return Worker(logs, self.kafka.bootstrap, policy=str(self.folder / "policy.yaml"))

    def say(self, event_type: str, person: int = 0, **fields: object) -> None:
        """Publish a policy event signed by one of the people."""
        name = list(self.approvers.public_keys())[person]
        told: dict[str, Any] = {
            "event_type": event_type,
            "event_id": f"{event_type}-{name}",
            "policy": self.policy.name,
            "occurred_at": format_ms(int(time.time() * 1000)),
            "actor": name,
            **fields,
        }
        told["signature"] = self.approvers._signature(name, canonical(told))
        publish(self.kafka, "policies", [(self.policy.name, msgspec.json.encode(told))])

    def highest_grant(self) -> tuple[Tier, dict[str, object]]:
        """The highest tier, and a grant of it to c-1, unsigned."""
        tier = self.policy.tiers[-1]
        return tier, grant(tier, "c-1", int(time.time() * 1000))

    def audited(self, what: str) -> list[AuditEntry]:
        entries = [audit(message.value() or b"") for message in read(self.kafka.bootstrap, "audit")]
        return [entry for entry in entries if entry.what == what]


@pytest.fixture
def house(empty_kafka: Kafka, tmp_path: Path) -> House:
    prepare(empty_kafka)
    return House(empty_kafka, tmp_path)


def test_a_grant_raises_the_tier_and_one_unsigned_is_refused(house: House) -> None:
    tier, grant = house.highest_grant()
    signed = house.approvers.sign(grant, tier.approvals)
    forged = house.approvers.sign({**grant, "customer_id": "c-2", "event_id": "grant-2"}, tier.approvals).replace(
        b"doc-1", b"doc-2"
    )
    with house.worker() as worker:
        worker.ready()
        publish(house.kafka, "customer-events", [("c-1", signed), ("c-2", forged)])
        await_records(house.kafka.bootstrap, "audit", 3)
        publish_payments(house.kafka, [payment(1, "c-1"), payment(2, "c-2")], "transactions-priority")
        decided = [decision(message.value() or b"") for message in await_records(house.kafka.bootstrap, "decisions", 2)]
        assert worker.stop() == 0
    assert {each.customer_id: each.tier for each in decided} == {"c-1": tier.name, "c-2": "base"}
    told = {entry.subject: (entry.result, entry.reason) for entry in house.audited("admission.approved")}
    assert told == {"c-1": ("applied", None), "c-2": ("refused", "bad_signature")}


def test_an_approved_policy_takes_effect_and_is_audited_once(house: House) -> None:
    version = house.policy.version + 1
    proposed = house.yaml.replace(b"version: %d " % house.policy.version, b"version: %d " % version, 1)
    assert load_policy(proposed).version == version
    with house.worker() as worker:
        worker.ready()
        house.say("policy.proposed", version=version, base_digest=house.policy.digest, yaml=proposed.decode())
        approval = {"digest": policy_digest(proposed), "effective_from": format_ms(int(time.time() * 1000))}
        for person in range(1, 1 + house.policy.policy_approvals):
            house.say("policy.approved", person, **approval)
        # In force some seconds after the last approval, so that all workers agree.
        until(lambda: worker.metric("tierwatch_policy_info", version=str(version)) == 1, "the new policy", seconds=60)
        publish(house.kafka, "rates", [("EUR/2026-01-01", b"no rate")])
        (letter,) = await_records(house.kafka.bootstrap, "dead-letters", 1)
        publish_payments(house.kafka, [payment(1, "c-1")])
        (decided,) = await_records(house.kafka.bootstrap, "decisions", 1)
        assert worker.stop() == 0
    assert decision(decided.value() or b"").policy_version == version
    assert headers(letter)["topic"] == b"rates"

    # Whoever comes next has read the same, and says nothing twice.
    with house.worker() as worker:
        worker.ready()
        until(lambda: worker.metric("tierwatch_policy_info", version=str(version)) == 1, "the new policy")
        publish_payments(house.kafka, [payment(2, "c-1")])
        await_records(house.kafka.bootstrap, "decisions", 2)
        assert worker.stop() == 0
    assert [entry.result for entry in house.audited("policy.proposed")] == ["applied"]
    assert [entry.result for entry in house.audited("policy.approved")] == ["applied"] * house.policy.policy_approvals
    assert len(read(house.kafka.bootstrap, "dead-letters")) == 1
    assert len(house.audited("policy.initial")) <= 1


def test_a_broken_policy_leaves_the_old_one_in_force(house: House) -> None:
    with house.worker() as worker:
        worker.ready()
        house.say("policy.proposed", version=2, base_digest=house.policy.digest, yaml="tiers: none")
        until(lambda: house.audited("policy.proposed"), "the refusal")
        publish_payments(house.kafka, [payment(1, "c-1")])
        (decided,) = await_records(house.kafka.bootstrap, "decisions", 1)
        assert worker.stop() == 0
    (entry,) = house.audited("policy.proposed")
    assert (entry.result, entry.reason) == ("refused", "invalid_policy")
    assert decision(decided.value() or b"").policy_hash == house.policy.digest
