"""No tier without its grounds, and none outlives them: whatever the order, the repeats and the looks at the clock."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.whitelist.dossier import tier_at
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.on_time import announce, due
from pipeline.whitelist.outgoing import Outgoing
from pipeline.whitelist.restart import state_of
from pipeline.whitelist.tiers import tier_in_force
from schemas.account_action import AccountAction
from schemas.audit import AuditEntry
from schemas.entitlement import Entitlement
from schemas.notification import Notification
from schemas.re_review import ReReview
from schemas.timestamps import format_ms
from tests.grants import (
    CUSTOMER,
    DAY,
    POLICY,
    REVIEW,
    START,
)
from tests.laws.whitelist_walk import (
    END,
    LAST_DAY,
    Sent,
    Step,
    admissions,
    any_events,
    delays,
    in_order_of_arrival,
    live,
    others,
    sound,
    ticks,
)


@given(any_events, ticks)
def test_nobody_is_above_base_without_approvers_evidence_expiry_and_review_date(
    arrivals: list[tuple[Sent, int]], ticks: list[int]
) -> None:
    good = {f"{sent}" for sent, _ in arrivals if sent.kind == "admission" and not sent.defect}
    for now, _, dossier, _ in live(in_order_of_arrival(arrivals, ticks)):
        if tier_at(dossier, now) is None:
            continue
        grant = dossier.grant
        assert grant is not None
        tier = tier_in_force(dossier, POLICY, now)
        assert grant.event_id in good
        assert len(set(grant.approvers)) == len(grant.approvers) >= tier.approvals >= 1
        assert grant.evidence
        assert now < grant.expires_ms <= grant.granted_ms + tier.grant_ms
        assert grant.review_ms <= grant.granted_ms + REVIEW.every_ms
        assert now < grant.review_ms + REVIEW.grace_ms


@given(sound, ticks, st.data())
def test_each_step_is_said_once_and_no_demotion_is_lost(
    arrivals: list[tuple[Sent, int]], ticks: list[int], data: st.DataObject
) -> None:
    repeated = [(sent, data.draw(delays)) for sent, _ in arrivals]
    moments = list(live([*in_order_of_arrival(arrivals + repeated, ticks), Step(LAST_DAY, None)]))
    said = [one.body for moment in moments for one in moment.outgoing]
    ended = Counter(body.event_id for body in said if isinstance(body, AuditEntry) and body.actor == "review_clock")
    asked = Counter(body.request_id for body in said if isinstance(body, ReReview) and body.kind == "request")
    reminded = Counter(
        (body.request_id, body.requested_at) for body in said if isinstance(body, ReReview) and body.kind == "reminder"
    )
    grants = {dossier.grant.event_id: dossier.grant for _, _, dossier, _ in moments if dossier.grant is not None}
    replaced = {
        before.grant.event_id: now
        for now, before, dossier, _ in moments
        if before.grant is not None and (dossier.grant is None or before.grant.event_id != dossier.grant.event_id)
    }
    # A lower grant may be over on arrival, and a late approval may say that another was: then its event said so.
    since = {dossier.grant: now for now, _, dossier, _ in reversed(moments) if dossier.grant is not None}
    over = [name for name, grant in grants.items() if since[grant] < grant.grace_until_ms <= replaced.get(name, END)]
    assert ended == Counter(over)
    assert set(asked.values()) <= {1}
    assert len(over) <= len(asked) <= len(grants)
    assert set(reminded.values()) <= {1}
    assert len({one.message_id for moment in moments for one in moment.outgoing}) == len(said)


def without_times(outgoing: Iterable[Outgoing]) -> list[Any]:
    """What was said, without when it was said and without reminders, of which a late look tells the newest only."""
    bodies = [one.body for one in outgoing]
    return [
        replace(body, **{name: "" for name in ("requested_at", "as_of", "at", "entry_id") if hasattr(body, name)})
        for body in bodies
        if not (isinstance(body, ReReview) and body.kind == "reminder")
        and not (isinstance(body, Notification) and body.parameters.get("kind") == "reminder")
    ]


@given(sound, ticks)
def test_how_often_anybody_looks_changes_neither_the_state_nor_what_is_said(
    arrivals: list[tuple[Sent, int]], ticks: list[int]
) -> None:
    seldom = list(live(in_order_of_arrival(arrivals, [LAST_DAY])))
    often = list(live(in_order_of_arrival(arrivals, [*ticks, *range(0, LAST_DAY, 3), LAST_DAY])))
    assert state_of("c", seldom[-1].after) == state_of("c", often[-1].after)
    assert without_times(o for m in seldom for o in m.outgoing) == without_times(o for m in often for o in m.outgoing)


@given(sound, st.lists(st.integers(0, LAST_DAY * DAY), min_size=2, max_size=20))
def test_a_tier_once_over_does_not_come_back_by_itself(arrivals: list[tuple[Sent, int]], later: list[int]) -> None:
    for now, _, dossier, _ in live(in_order_of_arrival(arrivals, [])):
        tiers = [tier_at(dossier, now + moment) for moment in sorted(later)]
        over = tiers.index(None) if None in tiers else len(tiers)
        assert set(tiers[over:]) <= {None}
        assert len(set(tiers[:over])) <= 1


@given(st.data())
def test_no_order_of_arrival_leaves_anybody_more_privileged_than_the_order_of_events(data: st.DataObject) -> None:
    days = data.draw(st.lists(st.integers(0, 60), unique=True, min_size=1, max_size=7))
    kinds = st.one_of(admissions(), others)
    events = [data.draw(kinds)._replace(day=day) for day in sorted(days)]
    # At the very moment of an end nobody approves: whether the end is known by then decides.
    grace_days = REVIEW.grace_ms // DAY
    ends = {sent.day + min(sent.review_days + grace_days, sent.expiry_days) for sent in events}
    assume(not ends & set(days))
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=3))))
    *_, orderly = live([Step(sent.day, sent) for sent in events])
    *_, disorderly = live([Step(60, sent) for sent in shuffled])
    assert disorderly.after.frozen >= orderly.after.frozen
    for day in (60, 63, 66, 70, 75, 90, 104, 120, 150, 164, 170):
        now = START + day * DAY
        expected = tier_in_force(orderly.after, POLICY, now).rank
        assert tier_in_force(disorderly.after, POLICY, now).rank <= expected


@given(sound, ticks)
def test_what_is_due_comes_due_and_only_then(arrivals: list[tuple[Sent, int]], ticks: list[int]) -> None:
    for now, _, dossier, _ in live(in_order_of_arrival(arrivals, ticks)):
        moment = due(CUSTOMER, dossier)
        if moment is None:
            assert announce(CUSTOMER, dossier, END, POLICY) == (dossier, ())
        else:
            assert announce(CUSTOMER, dossier, moment - 1, POLICY) == (dossier, ())
            assert announce(CUSTOMER, dossier, max(moment, now), POLICY).outgoing


@given(sound, ticks)
def test_the_newest_entitlement_said_is_the_one_that_holds(arrivals: list[tuple[Sent, int]], ticks: list[int]) -> None:
    newest: Entitlement | None = None
    for now, _, dossier, outgoing in live(in_order_of_arrival(arrivals, ticks)):
        for one in outgoing:
            newest = one.body if isinstance(one.body, Entitlement) else newest
        moment = due(CUSTOMER, dossier)
        if newest is not None and (moment is None or moment > now):
            assert replace(newest, as_of=format_ms(now)) == entitlement(CUSTOMER, dossier, POLICY, now)


@given(sound, ticks)
def test_the_core_system_is_told_every_change_of_tier(arrivals: list[tuple[Sent, int]], ticks: list[int]) -> None:
    believed = "base"
    for now, _, dossier, outgoing in live(in_order_of_arrival(arrivals, ticks)):
        for one in outgoing:
            if isinstance(one.body, AccountAction) and one.body.action == "tier_change":
                assert one.body.tier_from == believed
                believed = one.body.tier_to
        moment = due(CUSTOMER, dossier)
        if moment is None or moment > now:
            assert believed == tier_in_force(dossier, POLICY, now).name
