"""What people answer in PagerDuty comes back as work on the case, if PagerDuty signed it."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from agents.broker import BrokerError
from agents.paging.answers import SIGNATURE, Answers, answer_of
from agents.settings import Settings
from load_tests.services.run import free_ports
from schemas.case import Case

PAGERDUTY = Path(__file__).parent / "pagerduty"


def answered(kind: str, agent: str = "user_reference") -> bytes:
    """What PagerDuty posts of `kind`."""
    told = json.loads((PAGERDUTY / "acknowledged.json").read_text())
    told["event"]["event_type"] = kind
    told["event"]["agent"]["type"] = agent
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "kind, action, to",
    [
        ("incident.acknowledged", "assign", "Ana Duty"),
        ("incident.unacknowledged", "assign", ""),
        ("incident.resolved", "close", ""),
    ],
)
def test_what_people_answer_in_pagerduty_is_work_on_the_case(kind: str, action: str, to: str) -> None:
    answer = answer_of(answered(kind))
    assert answer is not None
    assert (answer.case_id, answer.action, answer.to, answer.actor) == ("CASE", action, to, "pagerduty:PLH1HKV")


@pytest.mark.parametrize(
    "kind, agent",
    [
        ("incident.resolved", "inbound_integration_reference"),
        ("incident.acknowledged", "service_reference"),
        ("incident.annotated", "user_reference"),
    ],
)
def test_what_we_told_pagerduty_ourselves_is_no_answer(kind: str, agent: str) -> None:
    assert answer_of(answered(kind, agent)) is None
    assert answer_of(b'{"event": {"id": "1", "event_type": "pagey.ping"}}') is None


def test_what_pagerduty_did_not_sign_is_refused_and_what_kafka_does_not_take_is_told_again() -> None:
    body = answered("incident.acknowledged")
    (nobody,) = free_ports(1)
    broker = {"TIERWATCH_BROKER": f"127.0.0.1:{nobody}", "TIERWATCH_PAGERDUTY_SECRET": "s-1"}
    answers = Answers(Settings.from_environment(broker), find=away)
    signed = "v1=" + hmac.new(b"s-1", body, hashlib.sha256).hexdigest()
    assert answers.take(body, {SIGNATURE: f"v1=00, {signed}"}) == 503
    assert answers.take(body, {SIGNATURE: "v1=00"}) == answers.take(body, {}) == 403
    assert answers.take(body + b" ", {SIGNATURE: signed}) == answers.take(body, {SIGNATURE: "v1=\xe9\udc80"}) == 403
    unread = "v1=" + hmac.new(b"s-1", b"no JSON", hashlib.sha256).hexdigest()
    assert answers.take(b"no JSON", {SIGNATURE: unread}) == 400


def away(_: Settings) -> dict[str, Case]:
    raise BrokerError("Kafka does not answer")
