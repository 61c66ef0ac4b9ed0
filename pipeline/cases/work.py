"""What people do with a case."""

from collections.abc import Iterable

from msgspec.structs import replace

from pipeline.cases.case import joined, opened
from pipeline.policy.incidents import Incidents
from schemas.case import Case, CaseMember
from schemas.case_event import CaseSplit, CaseWorked
from schemas.timestamps import format_ms, parse_ms


def worked(found: Iterable[Case], event: CaseWorked, now_ms: int) -> list[Case]:
    """The case after it was worked on; none where it is not there any more.

    Raises:
        ValueError: it is put off until a time that is none.

    """
    # Whoever gives a case back, or opens it again, does not mean that it closes by itself at once.
    return [_after(replace(case, touched_at=format_ms(now_ms)), event) for case in found]


def _after(case: Case, event: CaseWorked) -> Case:
    match event.action:
        case "assign":
            return replace(case, assignee=event.to)
        case "snooze":
            return replace(case, snoozed_until=format_ms(parse_ms(event.until)))
        case "close":
            return replace(case, state="closed", closed_by=event.actor, label=event.label)
        case "reopen":
            return replace(case, state="open", closed_by="", label="", snoozed_until="", reopened=case.reopened + 1)


def split(
    found: Iterable[Case], event: CaseSplit, terms: Incidents, now_ms: int
) -> tuple[list[Case], list[CaseMember]]:
    """The case without these alerts, the case that they make, and that they are members of it."""
    changed: list[Case] = []
    members: list[CaseMember] = []
    for case in found:
        if case.alerts <= len(event.alerts):  # somebody was quicker: nothing would be left
            continue
        first, *rest = event.alerts
        apart = opened(event.key, first, terms, now_ms, parted=event.event_id)
        for seen in rest:
            apart = joined(apart, seen, terms, now_ms)
        changed += [replace(case, alerts=case.alerts - len(event.alerts)), apart]
        members += [
            CaseMember(
                case_id=apart.case_id,
                reason="split",
                at=format_ms(now_ms),
                alert_id=seen.alert_id,
                customer_id=seen.customer_id,
            )
            for seen in event.alerts
        ]
    return changed, members
