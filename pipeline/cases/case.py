"""What a case is and becomes: opened, joined, absorbed, worked on, quiet. Counts and times only, whatever joins."""

from typing import Final, cast

from msgspec.structs import replace

from pipeline.cases.seen import MOST_RULES, SEVERITIES
from pipeline.ids import derived_id
from pipeline.policy.incidents import OTHERWISE, Incidents
from schemas.case import Case, Correlation
from schemas.case_event import AlertSeen
from schemas.decision import OUTCOMES, Outcome, Severity
from schemas.timestamps import format_ms, parse_ms

# Closes what nobody closed.
BY_ITSELF: Final = "tierwatch"
_NEVER = ("", "", "", "")

Seen4 = tuple[str, str, str, str]


def opened(key: str, seen: AlertSeen, terms: Incidents, now_ms: int, *, rule: str = "", parted: str = "") -> Case:
    """A case that this alert opens; of a campaign with its `rule`, of a split with the id of what `parted` it."""
    kind, _, entity = key.partition(":")
    return Case(
        case_id=derived_id("case", key, rule or parted, seen.alert_id),
        correlation=cast("Correlation", kind),
        entity=entity,
        rule=rule,
        parted=bool(parted),
        state="open",
        opened_at=seen.at,
        last_alert_at=seen.at,
        touched_at=format_ms(now_ms),
        page_after=format_ms(parse_ms(seen.read_at) + (terms.wait_ms if seen.entities and not rule else 0)),
        due_at=_due(seen, terms, now_ms),
        alerts=1,
        delayed=int(seen.delayed),
        outcome=seen.outcome,
        severity=seen.severity,
        seen_at=_seen_at(_NEVER, seen.severity, seen.at),
        rules=seen.rules[:MOST_RULES],
        first_alert_id=seen.alert_id,
        last_alert_id=seen.alert_id,
        queue=seen.queue,
    )


def joined(case: Case, seen: AlertSeen, terms: Incidents, now_ms: int) -> Case:
    """The case with one alert more; one that was closed is open again."""
    due = _due(seen, terms, now_ms)
    case = _reopened(case) if case.state == "closed" else case
    return replace(
        case,
        opened_at=min(case.opened_at, seen.at),
        last_alert_at=max(case.last_alert_at, seen.at),
        touched_at=format_ms(now_ms),
        due_at=min(case.due_at, due),
        alerts=case.alerts + 1,
        delayed=case.delayed + seen.delayed,
        outcome=worse(case.outcome, seen.outcome),
        severity=max(case.severity, seen.severity, key=SEVERITIES.index),
        snoozed_until=_asleep(case, seen.severity),
        seen_at=_seen_at(case.seen_at, seen.severity, seen.at),
        rules=_both(case.rules, seen.rules),
        last_alert_id=seen.alert_id,
        queue=seen.queue if due < case.due_at else case.queue,
    )


def swallowed(case: Case, other: Case, now_ms: int) -> Case:
    """The case with all that another one counted."""
    first = other if other.opened_at < case.opened_at else case
    last = other if other.last_alert_at > case.last_alert_at else case
    seen_at = tuple(map(max, case.seen_at, other.seen_at))
    case = _reopened(case) if case.state == "closed" and other.state == "open" else case
    return replace(
        case,
        opened_at=first.opened_at,
        last_alert_at=last.last_alert_at,
        touched_at=format_ms(now_ms),
        due_at=min(case.due_at, other.due_at),
        alerts=case.alerts + other.alerts,
        delayed=case.delayed + other.delayed,
        outcome=worse(case.outcome, other.outcome),
        severity=max(case.severity, other.severity, key=SEVERITIES.index),
        snoozed_until=_asleep(case, other.severity),
        seen_at=cast("Seen4", seen_at),
        rules=_both(case.rules, other.rules),
        first_alert_id=first.first_alert_id,
        last_alert_id=last.last_alert_id,
        queue=other.queue if other.due_at < case.due_at else case.queue,
    )


def absorbed(case: Case, by: str, now_ms: int) -> Case:
    """The case as part of another: it is nobody's work any more."""
    return replace(case, state="absorbed", absorbed_by=by, touched_at=format_ms(now_ms))


def settled(case: Case, terms: Incidents, now_ms: int) -> Case:
    """The case as it stands when nothing comes: lighter when somebody has it, closed when nobody took it for too long.

    Nobody's case stays open until it is due, however quiet it is; somebody's, until they close it.
    """
    if case.state != "open":
        return case
    if case.assignee:
        recent = format_ms(now_ms - terms.calm_ms)
        seen = [severity for severity, at in zip(SEVERITIES, case.seen_at, strict=True) if at]
        fresh = [severity for severity, at in zip(SEVERITIES, case.seen_at, strict=True) if at > recent]
        return replace(case, severity=fresh[-1] if fresh else seen[0])
    if now_ms >= ends_ms(case, terms):
        return replace(case, state="closed", closed_by=BY_ITSELF)
    return case


def ends_ms(case: Case, terms: Incidents) -> int:
    """When it closes by itself if nothing more comes and nobody takes it up, epoch milliseconds."""
    # One that was put off wakes first.
    return max(parse_ms(max(case.touched_at, case.snoozed_until)) + terms.quiet_ms, parse_ms(case.due_at))


def is_near(case: Case, at_ms: int, terms: Incidents) -> bool:
    """Whether an alert of that time is the same incident: no quiet lies between, before or after."""
    return parse_ms(case.opened_at) - terms.quiet_ms < at_ms < parse_ms(case.last_alert_at) + terms.quiet_ms


class UnreadableTimeError(ValueError):
    """A time of a case, or of its page, is none."""


def readable(case: Case) -> Case:
    """The case itself, where its times can be read: whoever else can write one must not stop those who go by them.

    Raises:
        UnreadableTimeError: a time is none.

    """
    check_times(case.opened_at, case.last_alert_at, case.touched_at, case.page_after, case.due_at)
    check_times(*filter(None, (case.snoozed_until, *case.seen_at)))
    return case


def check_times(*times: str) -> None:
    """Raise `UnreadableTimeError` where one of them is none."""
    try:
        for at in times:
            parse_ms(at)
    except ValueError:
        raise UnreadableTimeError("$: one of its times is not RFC 3339 with an offset") from None


def worse(one: Outcome, other: Outcome) -> Outcome:
    """The harsher of two outcomes."""
    return max(one, other, key=OUTCOMES.index)


def pages(severity: Severity) -> bool:
    """Whether somebody is woken."""
    return severity == SEVERITIES[-1]


def _reopened(case: Case) -> Case:
    return replace(case, state="open", closed_by="", label="", reopened=case.reopened + 1, snoozed_until="")


def _asleep(case: Case, severity: Severity) -> str:
    """Until when a case sleeps that meets this severity: what is graver than it was put off for wakes it."""
    return "" if SEVERITIES.index(severity) > SEVERITIES.index(case.severity) else case.snoozed_until


def _due(seen: AlertSeen, terms: Incidents, now_ms: int) -> str:
    service = terms.queues.get(seen.queue, OTHERWISE)
    return format_ms(now_ms + (service.page_ms if pages(seen.severity) else service.ticket_ms))


def _seen_at(seen_at: Seen4, severity: Severity, at: str) -> Seen4:
    times = list(seen_at)
    place = SEVERITIES.index(severity)
    times[place] = max(times[place], at)
    return cast("Seen4", tuple(times))


def _both(rules: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*rules, *more)))[:MOST_RULES]
