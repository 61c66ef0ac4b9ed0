"""A customer whose names stand nowhere else goes through the whole house; then all that came out is searched."""

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from load_tests.services.kafka import Kafka
from load_tests.services.receiver import receiver
from load_tests.services.wait import until
from pipeline.policy.load import default_yaml
from schemas.timestamps import format_ms
from schemas.transaction import Transaction
from tests.command import tierwatch
from tests.kafka.alerting import Pager, pager
from tests.kafka.house import Worker, await_records, prepare, publish

CARD = "4111111111111111"
# The one name that each kind of person, thing or secret has here.
CANARY = re.compile(r"canary|wren|4111.?1111.?1111.?1111|192\.0\.2\.77", re.IGNORECASE)
CUSTOMER = "canary-customer"
IDS = ("account_id", "card_token", "payee_id", "merchant_id", "terminal_id", "device_id")
# One payment that is too large wakes somebody.
MILD, HARSH = b"{mode: live, points: 75, severity: high,", b"{mode: live, points: 95, severity: critical,"


def payment(number: int, **more: object) -> dict[str, Any]:
    """A payment, everything in it that can name anybody naming the canary."""
    ids = {field: f"canary-{field}" for field in IDS}
    fixed = {"source": "card-network", "customer_id": CUSTOMER, "currency": "USD", "transaction_type": "purchase"}
    return {
        **ids,
        **fixed,
        "transaction_id": f"canary-t-{number}",
        "occurred_at": format_ms(int(time.time() * 1000)),
        "amount": 10_000_000,
        "description": "rent for Jenny Wren",
        **more,
    }


def broken() -> list[bytes]:
    """Payments of the canary that cannot be judged: one for each field, with the canary as what is wrong."""
    fields = [name for name in Transaction.__struct_fields__ if name not in {"description", *IDS}]
    wrong = [payment(100 + number, **{name: {"canary": CUSTOMER}}) for number, name in enumerate(fields)]
    wrong += [payment(200, currency="canary"), payment(201, status="canary"), payment(202, occurred_at="canary")]
    wrong += [payment(203, description=f"card {CARD}"), payment(204, customer_id="canary-somebody-else")]
    return [*(json.dumps(each).encode() for each in wrong), b'{"customer_id": "canary-customer', b"canary\xff"]


def events() -> list[bytes]:
    """What happens to the canary that is understood, refused and not understood."""
    common = {"customer_id": CUSTOMER, "occurred_at": format_ms(int(time.time() * 1000)), "actor": "wren@bank"}
    kinds = ("device.registered", "admission.approved", "customer.frozen", "canary.kind")
    return [
        json.dumps({"event_type": kind, "event_id": f"canary-e-{kind}", "device_id": "canary-phone", **common}).encode()
        for kind in kinds
    ]


def test_nobody_is_named_in_pages_metrics_and_logs(empty_kafka: Kafka, redis_url: str, tmp_path: Path) -> None:
    prepare(empty_kafka)
    policy = tmp_path / "policy.yaml"
    policy.write_bytes(default_yaml().replace(MILD, HARSH))
    logs = {name: tmp_path / name for name in ("worker", "pager")}
    for folder in logs.values():
        folder.mkdir()
    said = {"policy": str(policy), "log_level": "DEBUG"}
    with receiver() as told:
        receivers = {
            "alertmanager": told.address,
            "pagerduty": told.address,
            "pagerduty_key": "r-1",
            "webhook": f"{told.address}/hook",
            "webhook_key": "w-1",
        }
        with (
            Worker(logs["worker"], empty_kafka.bootstrap, redis=redis_url, **said) as worker,
            pager(logs["pager"], empty_kafka, **receivers, **said) as running,
        ):
            worker.said(r"metrics served")
            bad = broken()
            publish(empty_kafka, "customer-events", [(CUSTOMER, value) for value in events()])
            publish(empty_kafka, "transactions", [(CUSTOMER, value) for value in bad])
            publish(empty_kafka, "transactions", [(CUSTOMER, json.dumps(payment(1)).encode())])
            strange = [payment(2 + number, source=each) for number, each in enumerate((CARD, "Jenny Wren"))]
            publish(empty_kafka, "transactions", [(CUSTOMER, json.dumps(each).encode()) for each in strange])
            publish(empty_kafka, "case-events", [("customer:canary-customer", b'{"key": "canary"')])
            for path in ("/api/v2/alerts", "/v2/enqueue", "/hook"):
                until(lambda path=path: told.at(path), f"the page at {path}", seconds=90)  # type: ignore[misc]
            await_records(empty_kafka.bootstrap, "dead-letters", len(bad) + 1)
            until(lambda: 'transactions_total{source="others"} 2' in worker.scrape(), "strange sources to be counted")
            came_out = {
                "the worker's metrics": worker.scrape(),
                "the pager's metrics": metrics(running),
                "what receivers heard": json.dumps([heard.body for heard in told.heard]),
                "the worker's health": json.dumps(worker.answer("/health/ready")),
            }
            assert worker.stop() == 0
            came_out["the worker's log"] = worker.log()
        came_out["the pager's log"] = running.log.read_text()
    environment = {"TIERWATCH_BROKER": empty_kafka.bootstrap, "TIERWATCH_POLICY": str(policy)}
    came_out["doctor"] = str(tierwatch("doctor", stdin=b"", **environment))
    came_out["cases"] = str(tierwatch("cases", "list", "--nothing", stdin=b"", **environment))
    # The canary did go through, so that what is silent is silent about it.
    (alert,) = await_records(empty_kafka.bootstrap, "alerts", 1)
    assert msgspec.json.decode(alert.value() or b"")["customer_id"] == CUSTOMER
    named = {where: CANARY.findall(text)[:3] for where, text in came_out.items() if CANARY.search(text)}
    assert named == {}


def metrics(running: Pager) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port()}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
