"""Labels on a real broker: they go to where their payments went, mature there, and come back to whoever judges."""

import time
from itertools import count
from pathlib import Path

import msgspec

from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml
from schemas.codec import encode
from schemas.decision import Decision
from schemas.disposition import Disposition, Label
from schemas.entity_risk import EntityRisk
from schemas.timestamps import format_ms
from tests.command import tierwatch
from tests.kafka.house import Worker, await_records, payment, prepare, publish, publish_payments, read

decision = msgspec.json.Decoder(Decision).decode
risk = msgspec.json.Decoder(EntityRisk).decode
CUSTOMERS = ("c-1", "c-2", "c-3")
LARGE = 50_000_000


def test_labels_teach_every_worker_and_can_be_withdrawn_and_verified(empty_kafka: Kafka, tmp_path: Path) -> None:
    kafka, numbers = empty_kafka, count(10)
    prepare(kafka)
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(default_yaml().replace(b"labels: {fraud: 1h", b"labels: {fraud: 1s"))
    logs = tmp_path / "logs"
    logs.mkdir()

    def label(what: Label) -> None:
        """Say of each payment at the merchant what it was."""
        said = [
            Disposition(
                disposition_id=f"{what}-{number}",
                customer_id=customer,
                occurred_at=format_ms(int(time.time() * 1000)),
                actor="ana",
                label=what,
                status="final",
                transaction_id=f"t-{number}",
                source="test",
            )
            for number, customer in enumerate(CUSTOMERS)
        ]
        publish(kafka, "dispositions", ((each.customer_id, encode(each)) for each in said))

    def told() -> EntityRisk | None:
        """What stands last of the merchant."""
        newest = [each for each in read(kafka.bootstrap, "entity-risk") if each.key() == b"merchant/m-1"][-1].value()
        return None if newest is None else risk(newest)

    def fires(customer: str) -> bool:
        """Whether a payment there is looked at now."""
        number = next(numbers)
        publish_payments(kafka, [payment(number, customer, merchant_id="m-1")])
        decided = [decision(each.value() or b"") for each in await_records(kafka.bootstrap, "decisions", number - 7)]
        signals = next(each.signals for each in decided if each.transaction_id == f"t-{number}")
        return any(signal.rule == "compromised_merchant" for signal in signals)

    with Worker(logs, kafka.bootstrap, policy=str(policy)) as worker:
        worker.ready()
        large = [payment(n, each, amount=LARGE, merchant_id="m-1") for n, each in enumerate(CUSTOMERS)]
        publish_payments(kafka, large)
        await_records(kafka.bootstrap, "alerts", len(CUSTOMERS))
        assert not fires("c-7")
        label("fraud")
        await_records(kafka.bootstrap, "entity-labels", len(CUSTOMERS))
        until(lambda: read(kafka.bootstrap, "entity-risk"), "something is told of the merchant", seconds=60)
        until(lambda: (now := told()) and now.customers == len(CUSTOMERS), "all labels have matured", seconds=60)
        until(lambda: fires("c-8"), "the worker has read it", seconds=60)
        until(lambda: worker.metric("tierwatch_entities_at_risk", kind="merchant"), "the gauge", seconds=30)
        assert worker.metric("tierwatch_entity_labels_total", kind="merchant", label="fraud") == len(CUSTOMERS)
        assert worker.stop() == 0
    with Worker(logs, kafka.bootstrap, policy=str(policy)) as worker:
        worker.ready()
        assert fires("c-9")
        label("inconclusive")
        until(lambda: told() is None, "nothing speaks against the merchant any more", seconds=60)
        until(lambda: not fires("c-6"), "the worker has read it", seconds=60)
        assert worker.stop() == 0
    done = tierwatch("verify", TIERWATCH_BROKER=kafka.bootstrap, TIERWATCH_POLICY=str(policy))
    assert done.returncode == 0, done.stdout + done.stderr
