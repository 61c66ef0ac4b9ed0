"""From a payment to whoever is woken by it: real Kafka, Redis, worker, pager and Alertmanager."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from agents.publisher import Publisher
from agents.whole_topic import WholeTopic
from load_tests.services import alertmanager, redis
from load_tests.services.receiver import Receiver, receiver
from load_tests.services.wait import until
from load_tests.stand.alerts import quantile
from load_tests.stand.stand import ROOT, Stand, stand
from pipeline.policy.load import default_yaml, load_policy
from pipeline.record import InputRecord
from schemas.case import Case
from schemas.codec import encode
from schemas.decision import Alert
from schemas.timestamps import format_ms, parse_ms
from schemas.transaction import Transaction

_CONFIG = ROOT / "dashboards" / "alertmanager" / "alertmanager.yml"
# The default policy, but one payment that is too large wakes somebody.
_MILD, _HARSH = b"{mode: live, points: 75, severity: high,", b"{mode: live, points: 95, severity: critical,"
_TOO_MUCH_MINOR = 10_000_000
_PATIENCE_S = 180.0
_SPREAD_S = 60.0
_case = msgspec.json.Decoder(Case).decode
_alert = msgspec.json.Decoder(Alert).decode
T = TypeVar("T")


def paging(incidents: int, rate: float, campaign: int) -> dict[str, Any]:
    """Return how long pages take, incident by incident, and what a campaign of so many breaches in a minute makes.

    Raises:
        UnavailableError: something that is needed cannot be had; the text says what to do.

    """
    program = alertmanager.find()
    with stand() as at, receiver() as told:
        at.make_topics(history=False)
        policy = at.folder / "policy.yaml"
        policy.write_bytes(default_yaml().replace(_MILD, _HARSH))
        manager = alertmanager.Alertmanager(program, at.run, at.fresh("alertmanager"), _as_committed(told.address))
        with _at_work(at, policy, f"http://{manager.address}"):
            published = _one_by_one(at, incidents, rate)
            until(lambda: len(_paged(told)) >= incidents, "each incident's page", seconds=_PATIENCE_S)
            stages = _stages(at, published, _paged(told), load_policy(policy.read_bytes()).cases.wait_ms)
            begun = time.monotonic()
            _all_at_once(at, campaign)

            def counted() -> list[Case]:
                found = [case for case in _cases(at) if case.rule]
                return found if sum(case.alerts for case in found) >= campaign else []

            campaigns = until(counted, "the campaign to be counted", seconds=_PATIENCE_S)
            seconds = time.monotonic() - begun
            until(lambda: campaigns[0].case_id in _paged(told), "its page", seconds=_PATIENCE_S)
        more = [case for case in _cases(at) if case.state != "absorbed" and case.entity not in published]
        return {
            "incidents": incidents,
            "cases": len(stages["payment to page"]),
            "p50_ms": {stage: quantile(took, 0.5) for stage, took in stages.items()},
            "p99_ms": {stage: quantile(took, 0.99) for stage, took in stages.items()},
            "campaign_alerts": sum(case.alerts for case in campaigns),
            "campaign_cases": len(more),
            "campaign_pages": len(_paged(told)) - incidents,
            "campaign_seconds": round(seconds, 1),
        }


def _as_committed(listener: str) -> dict[str, Any]:
    """The committed routes with their own waits; receivers are paths of `listener`."""
    config: dict[str, Any] = yaml.safe_load(_CONFIG.read_text())
    for each in config["receivers"]:
        each["webhook_configs"] = [{"url": f"{listener}/{each['name']}", "send_resolved": False}]
    return config


@contextmanager
def _at_work(at: Stand, policy: Path, manager: str) -> Iterator[None]:
    settings = {"policy": str(policy), "redis": f"redis://{redis.start(at.run)}/0", "session_timeout": "10"}
    own = {"metrics_host": "127.0.0.1", "metrics_port": "0", "alertmanager": manager, "pages_per_minute": "1000"}
    environment = {f"TIERWATCH_{name.upper()}": text for name, text in {**settings, **own}.items()}
    command = [sys.executable, "-m", "console", "pager"]
    with (
        at.worker(**settings) as worker,
        at.program("pager", command, TIERWATCH_BROKER=at.address, **environment) as pager,
    ):
        worker.said("worker ready partitions")
        pager.said("cases known")
        pager.said("pages known")
        yield


def _one_by_one(at: Stand, incidents: int, rate: float) -> dict[str, float]:
    """Publish a breach of each customer, each at a merchant of its own; return when, by customer."""
    published = {}
    # One connection for all, as processors have.
    publisher = Publisher({"bootstrap.servers": at.address})
    for number in range(incidents):
        customer = f"c-{number}"
        payment = _payment(customer, f"m-{number}")
        published[customer] = time.time()
        publisher.publish(payment.topic, payment.key, payment.value or b"", payment.timestamp)
        publisher.flush()
        time.sleep(max(0.0, published[customer] + 1 / rate - time.time()))
    return published


def _all_at_once(at: Stand, campaign: int) -> None:
    """Publish breaches of as many customers at one merchant, a minute long."""
    turns = 20
    for turn in range(turns):
        begun = time.time()
        at.load(_payment(f"c-all-{number}", "m-all") for number in range(turn, campaign, turns))
        time.sleep(max(0.0, begun + _SPREAD_S / turns - time.time()))


def _payment(customer: str, merchant: str) -> InputRecord:
    now_ms = int(time.time() * 1_000)
    payment = Transaction(
        transaction_id=f"t-{customer}",
        source="paging",
        customer_id=customer,
        occurred_at=format_ms(now_ms),
        amount=_TOO_MUCH_MINOR,
        currency="USD",
        transaction_type="purchase",
        merchant_id=merchant,
    )
    return InputRecord("transactions", 0, 0, now_ms, customer.encode(), encode(payment), ())


def _paged(told: Receiver) -> dict[str, float]:
    """Return when each case was first heard of, by its id."""
    found: dict[str, float] = {}
    for heard in list(told.heard):
        if heard.path == "/security-page":
            found.setdefault(heard.body["groupLabels"]["case"], heard.at)
    return found


def _stages(at: Stand, published: dict[str, float], pages: dict[str, float], wait_ms: int) -> dict[str, list[float]]:
    """Return how long each stage took for each incident, milliseconds, sorted; `wait_ms` is the policy's."""
    sent = {each.customer_id: (each.arrived_at, at_ms) for at_ms, each in _stamped(at, "alerts", _alert)}
    made: dict[str, int] = {}
    for at_ms, case in _stamped(at, "cases", _case):
        made.setdefault(case.case_id, at_ms)
    found: dict[str, list[float]] = {}
    for case in _cases(at):
        if case.case_id not in pages or case.entity not in published:
            continue
        arrived, alert_ms = sent[case.entity]
        due_ms = parse_ms(case.page_after)
        marks = {
            "arrival": float(parse_ms(arrived)),
            "its alert, to be committed": alert_ms,
            "the pager's reading": due_ms - wait_ms,
            "its case": made[case.case_id],
            "the end of its wait": due_ms,
            "page": pages[case.case_id] * 1_000,
        }
        before = published[case.entity] * 1_000
        found.setdefault("payment to page", []).append(marks["page"] - before)
        for stage, mark in marks.items():
            found.setdefault(f"to {stage}", []).append(mark - before)
            before = max(before, mark)
    return {stage: sorted(took) for stage, took in found.items()}


def _stamped(at: Stand, topic: str, decode: Callable[[bytes], T]) -> Iterator[tuple[int, T]]:
    with WholeTopic(at.settings(), topic) as whole:
        yield from ((record.timestamp, decode(record.value)) for record in whole.to_the_end() if record.value)


def _cases(at: Stand) -> list[Case]:
    return list({case.case_id: case for _, case in _stamped(at, "cases", _case)}.values())
