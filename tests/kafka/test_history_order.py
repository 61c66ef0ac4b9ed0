"""History that was loaded topic by topic is judged in the order of its times."""

import time
from pathlib import Path

import msgspec

from load_tests.city.approvers import Approvers, trusting_policy
from load_tests.services.kafka import Kafka
from pipeline.policy.load import default_yaml, load_policy
from schemas.codec import encode
from schemas.decision import Decision
from schemas.timestamps import MS_PER_DAY, MS_PER_MINUTE, format_ms
from tests.kafka.grant import grant
from tests.kafka.house import Worker, await_records, payment, prepare, publish_stamped

decision = msgspec.json.Decoder(Decision).decode
CUSTOMERS = [f"c-{number}" for number in range(12)]


def test_a_grant_is_met_between_the_payments_before_and_after_it(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka, history=True)
    approvers = Approvers(load_policy(default_yaml()), seed=3)
    yaml = trusting_policy(default_yaml(), approvers)
    (tmp_path / "policy.yaml").write_bytes(yaml)
    tier = load_policy(yaml).tiers[-1]
    start_ms = int(time.time() * 1000) - 20 * MS_PER_DAY
    granted_ms = start_ms + 100 * MS_PER_MINUTE
    grants = [(each, approvers.sign(grant(tier, each, granted_ms), tier.approvals), granted_ms) for each in CUSTOMERS]
    payments: list[tuple[str, bytes, int]] = []
    for minute in range(200):
        for customer in CUSTOMERS:
            at_ms = start_ms + minute * MS_PER_MINUTE
            payments.append((customer, encode(payment(len(payments), customer, at_ms, amount=100)), at_ms))
    publish_stamped(empty_kafka, "transactions", payments[1::2])
    publish_stamped(empty_kafka, "transactions-priority", payments[::2])
    publish_stamped(empty_kafka, "customer-events", grants)

    logs = tmp_path / "logs"
    logs.mkdir()
    with Worker(logs, empty_kafka.bootstrap, policy=str(tmp_path / "policy.yaml")) as worker:
        decided = [
            decision(each.value() or b"") for each in await_records(empty_kafka.bootstrap, "decisions", len(payments))
        ]
        assert worker.stop() == 0
    # Ties go in the order of the topics, so what a lane brings at the moment of the grant comes before it.
    assert {each.transaction_id for each in decided if each.tier == tier.name} == {
        each.transaction_id for each in decided if each.occurred_at > format_ms(granted_ms)
    }
    assert sorted(each.occurred_at for each in decided) == sorted(format_ms(at_ms) for _, _, at_ms in payments)
