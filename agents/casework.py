"""Alerts and cases as people work on them: what stands on the topics, and what they do about it, published."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from agents.paging.standing import read_case
from agents.paging.unread import UNREADABLE, passed_over
from agents.publisher import Publisher
from agents.settings import Settings
from agents.whole_topic import WholeTopic
from pipeline.cases.seen import seen_of
from pipeline.policy.model import Policy
from pipeline.record import InputRecord
from schemas import stages
from schemas.alert_action import AlertAction
from schemas.case import Case, CaseMember
from schemas.case_event import CaseAbsorbed, CaseSplit, CaseWorked
from schemas.codec import encode
from schemas.decision import Alert
from schemas.disposition import Disposition, Label
from schemas.timestamps import format_ms, parse_ms

AlertDoing = Literal["assign", "snooze", "close"]
CaseDoing = Literal["assign", "snooze", "close", "reopen"]


class AlertFile(NamedTuple):
    """An alert, what was done about it last, and when its worker had it in hand: RFC 3339 by header, where it told."""

    alert: Alert
    done: AlertAction | None
    stages: Mapping[str, str]

    def state(self, now: str) -> str:
        """`open`, `snoozed`, `closed`, or whose it is; `now` is RFC 3339."""
        match self.done:
            case AlertAction(action="close", label=label):
                return f"closed: {label}"
            case AlertAction(action="snooze", until=until) if until > now:
                return f"snoozed until {until}"
            case AlertAction(action="assign", to=to):
                return f"assigned to {to}"
            case _:
                return "open"

    @property
    def delay_ms(self) -> int:
        """How long after its transaction it stood on the topic, milliseconds: after an outage, for long."""
        return parse_ms(self.stages["published_at"]) - parse_ms(self.alert.occurred_at)


class CaseFile(NamedTuple):
    """A case, the alerts in it and why, those of cases that it absorbed included."""

    case: Case
    members: tuple[CaseMember, ...]


def alerts(settings: Settings) -> Iterator[AlertFile]:
    """Yield all alerts, partition by partition. Raises `BrokerError` where Kafka does not give them."""
    done = {action.alert_id: action for action in _all(settings, "alert-actions", AlertAction)}
    for alert, record in _read(settings, "alerts", msgspec.json.Decoder(Alert).decode):
        told = {name: at.decode("utf-8", "replace") for name, at in record.headers if name in stages.NAMES}
        published = {"published_at": format_ms(record.timestamp)}
        yield AlertFile(alert, done.get(alert.alert_id), told | published)


def cases(settings: Settings) -> dict[str, Case]:
    """Return each case as it stands. Raises `BrokerError`."""
    return {case.case_id: case for case, _ in _read(settings, "cases", read_case)}


def case_file(settings: Settings, case: Case) -> CaseFile:
    """Return who is in a case. Raises `BrokerError`."""
    # Those of different cases stand on different partitions.
    members = sorted(_all(settings, "case-members", CaseMember), key=lambda member: member.at)
    newest = {member.alert_id: member for member in members if member.alert_id}
    parts = {case.case_id}
    absorbed = {member.member_case_id: member for member in members if member.member_case_id}
    while more := {name for name, member in absorbed.items() if member.case_id in parts} - parts:
        parts |= more
    return CaseFile(case, tuple(member for member in newest.values() if member.case_id in parts))


def work_alert(settings: Settings, alert: Alert, action: AlertDoing, actor: str, **more: Any) -> AlertAction:  # noqa: ANN401 - fields of the action
    """Publish what a person does with an alert; what it turned out to be is a disposition as well."""
    done = AlertAction(
        action_id=str(uuid.uuid4()),
        action=action,
        alert_id=alert.alert_id,
        customer_id=alert.customer_id,
        actor=actor,
        at=_now(),
        **more,
    )
    said: list[tuple[str, str, Struct]] = [("alert-actions", alert.customer_id, done)]
    if done.label:
        said.insert(0, ("dispositions", alert.customer_id, _disposition(alert, done, done.label)))
    _publish(settings, said)
    return done


def _disposition(alert: Alert, done: AlertAction, label: Label) -> Disposition:
    return Disposition(
        disposition_id=done.action_id,
        customer_id=alert.customer_id,
        occurred_at=done.at,
        actor=done.actor,
        label=label,
        # Nobody knows yet what is inconclusive.
        status="provisional" if label == "inconclusive" else "final",
        alert_id=alert.alert_id,
    )


def work_case(settings: Settings, case: Case, action: CaseDoing, actor: str, **more: Any) -> None:  # noqa: ANN401 - fields of the event
    """Publish what a person does with a case, for the owner of its key."""
    event = CaseWorked(
        key=key_of(case),
        event_id=str(uuid.uuid4()),
        case_id=case.case_id,
        action=action,
        actor=actor,
        at=_now(),
        case=case,
        **more,
    )
    _publish(settings, [("case-events", event.key, event)])


def merge(settings: Settings, case: Case, into: Case, actor: str) -> None:
    """Publish that one case is part of another."""
    event = CaseAbsorbed(
        key=key_of(case),
        case_id=case.case_id,
        into_key=key_of(into),
        into_case_id=into.case_id,
        at=_now(),
        event_id=str(uuid.uuid4()),
        actor=actor,
        case=case,
    )
    _publish(settings, [("case-events", event.key, event)])


def split(settings: Settings, case: Case, parts: list[Alert], policy: Policy, actor: str) -> None:
    """Publish that these alerts are another incident."""
    now_ms = int(time.time() * 1000)
    seen = tuple(msgspec.structs.replace(seen_of(alert, policy, now_ms), key=key_of(case), path=()) for alert in parts)
    event = CaseSplit(
        key=key_of(case),
        event_id=str(uuid.uuid4()),
        case_id=case.case_id,
        alerts=seen,
        actor=actor,
        at=_now(),
        case=case,
    )
    _publish(settings, [("case-events", event.key, event)])


def key_of(case: Case) -> str:
    """Return the key whose owner decides about a case."""
    return f"{case.correlation}:{case.entity}"


def _all(settings: Settings, topic: str, kind: type[Any]) -> Iterator[Any]:
    return (message for message, _ in _read(settings, topic, msgspec.json.Decoder(kind).decode))


def _read(settings: Settings, topic: str, decode: Callable[[bytes], Any]) -> Iterator[tuple[Any, InputRecord]]:
    with WholeTopic(settings, topic) as whole:
        for record in whole.to_the_end():
            if record.value is not None:
                try:
                    yield decode(record.value), record
                except UNREADABLE as error:  # whoever else can write there must not hide the rest
                    passed_over(record, error)


def _publish(settings: Settings, said: list[tuple[str, str, Struct]]) -> None:
    publisher = Publisher(settings.librdkafka())
    for topic, key, message in said:
        publisher.publish(topic, key.encode(), encode(message), int(time.time() * 1000))
    publisher.flush()


def _now() -> str:
    return format_ms(int(time.time() * 1000))
