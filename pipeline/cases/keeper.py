"""The owner of a correlation key: what it makes of each thing that it hears, in order. A pure function of what it knew.

An alert asks its merchant, payee and device whether a campaign has it; if none has, its last key keeps it. Work and
bytes for each are bounded, whatever the number of alerts.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Final, NamedTuple

from msgspec.structs import replace

from pipeline.cases.campaign import watched
from pipeline.cases.case import absorbed, is_near, joined, opened, readable, settled, swallowed
from pipeline.cases.work import split, worked
from pipeline.policy.incidents import Incidents
from schemas.case import Case, CaseMember
from schemas.case_event import AlertSeen, AnyCaseEvent, CaseAbsorbed, CaseHandedOver, CaseSplit, CaseWorked
from schemas.case_key import CaseKey, SendBack
from schemas.timestamps import format_ms, parse_ms

# Of one key. A day of lateness has room for six quiet spells; the rest are campaigns, and cases that people split.
MOST_CASES: Final = 16
MOST_SENT_BACK: Final = 8
MOST_RECENT: Final = 32


class Taken(NamedTuple):
    """What the key is by now, the cases that changed, who joined them, and what others must hear."""

    state: CaseKey
    cases: tuple[Case, ...] = ()
    members: tuple[CaseMember, ...] = ()
    onward: tuple[AnyCaseEvent, ...] = ()


def take(state: CaseKey, event: AnyCaseEvent, terms: Incidents, now_ms: int) -> Taken:
    """Hear of one thing; `now_ms` is the pager's clock, epoch milliseconds. A repetition changes nothing."""
    mark = _mark(event)
    if mark in state.recent:
        return Taken(state)
    state = replace(state, recent=(*state.recent, mark)[-MOST_RECENT:])
    match event:
        case AlertSeen():
            return _seen(state, event, terms, now_ms)
        case CaseAbsorbed():
            return _absorb(state, event, terms, now_ms)
        case CaseHandedOver():
            return _handed_over(state, event, now_ms)
        case CaseWorked():
            return _changed(state, now_ms, worked(_find(state, event), event, now_ms))
        case CaseSplit():
            cases, members = split(_find(state, event), event, terms, now_ms)
            return _changed(state, now_ms, cases, members)


def settle(state: CaseKey, terms: Incidents, now_ms: int) -> Taken:
    """Let time pass: what is calm weighs less, what is over is closed."""
    after = [settled(case, terms, now_ms) for case in state.cases]
    return _changed(state, now_ms, [case for case, before in zip(after, state.cases, strict=True) if case != before])


def _mark(event: AnyCaseEvent) -> str:
    match event:
        case AlertSeen():
            # One key may be asked twice in good order: as a place of campaigns, and as the alert's last key.
            return f"{event.alert_id}/{len(event.path)}{'b' if event.sent_back else ''}"
        case CaseAbsorbed():
            return f"{event.into_case_id}/{event.case_id}{event.event_id}"
        case CaseHandedOver():
            return f"{event.case.case_id}/{event.case.reopened}"
        case CaseWorked() | CaseSplit():
            return event.event_id


def _seen(state: CaseKey, seen: AlertSeen, terms: Incidents, now_ms: int) -> Taken:
    at_ms = parse_ms(seen.at)
    if seen.key in seen.entities and (seen.path or seen.sent_back):
        campaign = next((case for case in _open_to(state, at_ms, terms) if case.rule in seen.rules), None)
        if campaign is not None:
            member = _member(campaign, seen, "campaign", now_ms)
            return _changed(state, now_ms, [joined(campaign, seen, terms, now_ms)], [member])
        if not seen.sent_back:
            watches, formed = watched(state.watches, seen, seen.path[-1], at_ms, terms.campaign)
            state = replace(state, watches=watches)
            if formed is not None:
                case = opened(seen.key, seen, terms, now_ms, rule=formed.rule)
                calls = (
                    CaseAbsorbed(key=home, into_key=seen.key, into_case_id=case.case_id, at=seen.at, rule=formed.rule)
                    for home in formed.homes
                )
                formed_now = _changed(state, now_ms, [case], [_member(case, seen, "opened", now_ms)])
                return formed_now._replace(onward=tuple(calls))
    if seen.path:
        return Taken(state, onward=(replace(seen, key=seen.path[0], path=seen.path[1:]),))
    back = _send_back(state, seen, at_ms, terms)
    if back is not None:
        return Taken(state, onward=(replace(seen, key=back.key, path=(seen.key,), sent_back=True),))
    return _keep(state, seen, at_ms, terms, now_ms)


def _keep(state: CaseKey, seen: AlertSeen, at_ms: int, terms: Incidents, now_ms: int) -> Taken:
    """The alert's last key: it joins what is near, and what it is near to on both sides becomes one."""
    near = sorted(
        (case for case in _open_to(state, at_ms, terms) if not case.rule),
        key=lambda case: (case.opened_at, case.case_id),
    )
    if not near:
        case = opened(seen.key, seen, terms, now_ms)
        return _changed(state, now_ms, [case], [_member(case, seen, "opened", now_ms)])
    kept, members = joined(near[0], seen, terms, now_ms), [_member(near[0], seen, "correlation", now_ms)]
    for other in near[1:]:
        kept = swallowed(kept, other, now_ms)
        members.append(_part(kept.case_id, other, "bridged", now_ms))
    return _changed(state, now_ms, [kept, *(absorbed(other, kept.case_id, now_ms) for other in near[1:])], members)


def _absorb(state: CaseKey, event: CaseAbsorbed, terms: Incidents, now_ms: int) -> Taken:
    if event.rule:
        known = [each for each in state.send_back if (each.rule, each.key) != (event.rule, event.into_key)]
        back = SendBack(rule=event.rule, key=event.into_key, at_ms=parse_ms(event.at))
        state = replace(state, send_back=(*known, back)[-MOST_SENT_BACK:])
        wanted = [case for case in _open_to(state, back.at_ms, terms) if not case.rule]
    else:
        wanted = _find(state, event)
    case = next((case for case in wanted if case.case_id != event.into_case_id), None)
    if case is None:
        return Taken(state)
    handed = CaseHandedOver(
        key=event.into_key,
        into_case_id=event.into_case_id,
        case=case,
        reason="absorbed" if event.rule else "merged",
    )
    return _changed(state, now_ms, [absorbed(case, event.into_case_id, now_ms)])._replace(onward=(handed,))


def _handed_over(state: CaseKey, event: CaseHandedOver, now_ms: int) -> Taken:
    into = next((case for case in state.cases if case.case_id == event.into_case_id), None)
    if into is None:  # long over, and forgotten: nothing that was counted may vanish with it
        return _changed(state, now_ms, [replace(readable(event.case), case_id=event.into_case_id)])
    if into.case_id == event.case.case_id:  # it comes back
        return _changed(state, now_ms, [readable(event.case)])
    if into.state == "absorbed":  # by whom somebody else merged it: the case that was to join it stays one of its own
        case = replace(event.case, reopened=event.case.reopened + 1)
        key = f"{case.correlation}:{case.entity}"
        return Taken(state, onward=(replace(event, key=key, into_case_id=case.case_id, case=case),))
    member = _part(into.case_id, event.case, event.reason, now_ms)
    return _changed(state, now_ms, [swallowed(into, readable(event.case), now_ms)], [member])


def _open_to(state: CaseKey, at_ms: int, terms: Incidents) -> list[Case]:
    """The cases that alerts of a time can join."""
    return [
        case for case in state.cases if case.state != "absorbed" and not case.parted and is_near(case, at_ms, terms)
    ]


def _send_back(state: CaseKey, seen: AlertSeen, at_ms: int, terms: Incidents) -> SendBack | None:
    if seen.sent_back:
        return None
    return next(
        (
            back
            for back in state.send_back
            if back.rule in seen.rules and back.key in seen.entities and abs(at_ms - back.at_ms) < terms.quiet_ms
        ),
        None,
    )


def _find(state: CaseKey, event: CaseAbsorbed | CaseWorked | CaseSplit) -> list[Case]:
    """The case that somebody works on; one that is long over, and forgotten, as they saw it."""
    known = [case for case in state.cases if case.case_id == event.case_id]
    if not known and event.case is not None and event.case.case_id == event.case_id:
        known = [readable(event.case)]
    return [case for case in known if case.state != "absorbed"]


def _changed(state: CaseKey, now_ms: int, changed: list[Case], members: Sequence[CaseMember] = ()) -> Taken:
    """The key with these cases in it: the latest of them, by the transactions' own times."""
    by_id = {case.case_id: case for case in (*state.cases, *changed)}
    # What is absorbed or closed is forgotten first.
    known = sorted(by_id.values(), key=lambda case: (case.state == "open", case.last_alert_at, case.case_id))
    kept, crowd = known[-MOST_CASES:], [case for case in known[:-MOST_CASES] if case.state == "open"]
    if crowd:  # nobody's open case is forgotten: it goes on as part of the one after it
        kept[0] = reduce(lambda case, other: swallowed(case, other, now_ms), crowd, kept[0])
        gone = [absorbed(case, kept[0].case_id, now_ms) for case in crowd]
        by_id = {case.case_id: case for case in (*changed, kept[0], *gone)}
        changed = list(by_id.values())
        members = [*members, *(_part(kept[0].case_id, case, "crowded", now_ms) for case in crowd)]
    return Taken(replace(state, cases=tuple(kept)), tuple(changed), tuple(members))


def _member(case: Case, seen: AlertSeen, reason: str, now_ms: int) -> CaseMember:
    return CaseMember(
        case_id=case.case_id,
        reason=reason,  # type: ignore[arg-type]
        at=format_ms(now_ms),
        alert_id=seen.alert_id,
        customer_id=seen.customer_id,
    )


def _part(case_id: str, other: Case, reason: str, now_ms: int) -> CaseMember:
    return CaseMember(case_id=case_id, reason=reason, at=format_ms(now_ms), member_case_id=other.case_id)  # type: ignore[arg-type]
