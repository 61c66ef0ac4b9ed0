"""What people answer in PagerDuty comes back to the case: its signed webhook (v3), as events for the key's owner."""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, Literal, NamedTuple

import msgspec
from confluent_kafka import KafkaException
from msgspec import Struct, field

from agents.broker import BrokerError
from agents.casework import cases, key_of
from agents.log import Log
from agents.publisher import Publisher
from agents.settings import Settings
from schemas.case import Case
from schemas.case_event import CaseWorked
from schemas.codec import encode
from schemas.timestamps import format_ms

log = Log("pager")

PATH: Final = "/pagerduty"
SIGNATURE: Final = "x-pagerduty-signature"
# PagerDuty waits five seconds for an answer, and tells again what nobody took.
_PATIENCE_S = 4.0
# Rotating secrets, it signs with each.
_SCHEME = "v1="

Doing = Literal["assign", "close"]
_DOINGS: Final[dict[str, Doing]] = {
    "incident.acknowledged": "assign",
    "incident.unacknowledged": "assign",
    "incident.resolved": "close",
}


class _Agent(Struct):
    id: str = ""
    summary: str = ""
    type: str = ""


class _Incident(Struct):
    incident_key: str = ""


class _Event(Struct):
    id: str
    event_type: str
    agent: _Agent | None = None
    data: _Incident = field(default_factory=_Incident)


class _Told(Struct):
    event: _Event


class Answer(NamedTuple):
    """Who did what with which case. `to` has it now, empty: nobody; `event_id` is the same when told again."""

    event_id: str
    case_id: str
    action: Doing
    actor: str
    to: str


_told = msgspec.json.Decoder(_Told).decode


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Whether one of the signatures of `header` is the body's, by HMAC-SHA256 with `secret`."""
    ours = (_SCHEME + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()).encode()
    # As bytes: of text it compares ASCII only.
    return any(hmac.compare_digest(ours, theirs.strip().encode(errors="replace")) for theirs in header.split(","))


def answer_of(body: bytes) -> Answer | None:
    """What a person answered; None where it was no person, or nothing that concerns a case.

    Raises:
        msgspec.DecodeError: it is no message of PagerDuty's webhook, version 3.

    """
    event = _told(body).event
    action = _DOINGS.get(event.event_type)
    agent = event.agent
    # What we resolve ourselves comes back as well, as done by a service.
    if action is None or agent is None or not agent.type.startswith("user") or not event.data.incident_key:
        return None
    to = (agent.summary or agent.id) if event.event_type == "incident.acknowledged" else ""
    return Answer(event.id, event.data.incident_key, action, f"pagerduty:{agent.id}", to)


class Answers:
    """Takes PagerDuty's posts, and publishes what they say of cases."""

    def __init__(self, settings: Settings, find: Callable[[Settings], Mapping[str, Case]] = cases) -> None:
        self._settings = settings
        self._find = find

    def take(self, body: bytes, headers: Mapping[str, str]) -> HTTPStatus:
        """Return what PagerDuty is told: with 5xx it tells again."""
        if not is_signed(body, headers.get(SIGNATURE, ""), self._settings.pagerduty_secret):
            log.warning("a post that PagerDuty did not sign", setting="TIERWATCH_PAGERDUTY_SECRET")
            return HTTPStatus.FORBIDDEN
        try:
            answer = answer_of(body)
        except msgspec.DecodeError as error:
            log.warning("a post of PagerDuty's that cannot be read", why=error)
            return HTTPStatus.BAD_REQUEST
        if answer is None:
            return HTTPStatus.ACCEPTED
        try:
            case = self._find(self._settings).get(answer.case_id)
            if case is not None:  # a summary, or a receiver that was dead, is nobody's to work on
                self._publish(case, answer)
        except (BrokerError, KafkaException) as error:
            log.warning("an answer from PagerDuty waits for Kafka", why=error)
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.ACCEPTED

    def _publish(self, case: Case, answer: Answer) -> None:
        now_ms = int(time.time() * 1000)
        event = CaseWorked(
            key=key_of(case),
            event_id=answer.event_id,
            case_id=answer.case_id,
            action=answer.action,
            actor=answer.actor,
            at=format_ms(now_ms),
            to=answer.to,
            why="in PagerDuty",
            case=case,
        )
        publisher = Publisher(self._settings.librdkafka(), _PATIENCE_S)
        publisher.publish("case-events", event.key.encode(), encode(event), now_ms)
        publisher.flush()
