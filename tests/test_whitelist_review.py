"""What a grant says as time passes, told as timelines of days after it was given."""

import dataclasses
from collections import Counter

import pytest
from msgspec.structs import replace

from pipeline.turns import share_ms
from pipeline.whitelist.dossier import Dossier, tier_at
from pipeline.whitelist.on_time import announce, due
from pipeline.whitelist.outgoing import Outgoing
from pipeline.whitelist.review import schedule
from pipeline.whitelist.review_clock import ReviewClock
from schemas.account_action import AccountAction
from schemas.audit import AuditEntry
from schemas.entitlement import Entitlement
from schemas.notification import Notification
from schemas.re_review import ReReview, Since
from schemas.timestamps import format_ms
from tests.grants import CUSTOMER, DAY, POLICY, REVIEW, START, admission, after, document

# Granted on day 0, review due on day 90: request by 80, reminders on 85, 90, 95, the end on 105. The request comes at
# the customer's own moment of the day before.
GRANTED = after((admission(START), START))
OWN_MS = share_ms(CUSTOMER, DAY)


def heard(outgoing: tuple[Outgoing, ...]) -> list[str]:
    """What was said, in a word each; the audit entry and the entitlement follow from the action and are left out."""
    words: list[str] = []
    for body in (one.body for one in outgoing):
        if isinstance(body, ReReview):
            words.append(body.kind)
        elif isinstance(body, AccountAction):
            words.append(body.because)
    return words


@pytest.mark.parametrize(
    "looks, told",
    [
        ([79.23], [[]]),
        ([79.24], [["request"]]),
        ([80], [["request"]]),
        ([80, 80, 81], [["request"], [], []]),
        ([80, 85, 90, 95], [["request"], ["reminder"], ["reminder"], ["reminder"]]),
        ([80, 92, 96, 104.99], [["request"], ["reminder"], ["reminder"], []]),
        ([86], [["request", "reminder"]]),
        ([104.99, 105], [["request", "reminder"], ["review_overdue"]]),
        ([80, 85, 90, 95, 105], [["request"], ["reminder"], ["reminder"], ["reminder"], ["review_overdue"]]),
        ([300, 301], [["request", "reminder", "review_overdue"], []]),
        ([100, 82, 105, 90], [["request", "reminder"], [], ["review_overdue"], []]),
    ],
)
def test_each_step_is_told_once_and_a_late_look_does_not_flood(looks: list[float], told: list[list[str]]) -> None:
    dossier, said = GRANTED, []
    for day in looks:
        dossier, outgoing = announce(CUSTOMER, dossier, START + int(day * DAY), POLICY)
        said.append(heard(outgoing))
    assert said == told


def test_a_request_says_why_what_to_check_and_until_when() -> None:
    documents = [
        document(kind="residence"),
        document(kind="income", expires_at=format_ms(START + 200 * DAY)),
        document(kind="identity", expires_at=format_ms(START + 150 * DAY)),
        document(kind="income", reference="doc-2", expires_at=format_ms(START + 300 * DAY)),
    ]
    dossier = after((admission(START, evidence=documents), START))
    request, _ = announce(CUSTOMER, dossier, START + 80 * DAY, POLICY).outgoing
    assert request.topic == "re-reviews"
    assert isinstance(request.body, ReReview)
    assert request.body == ReReview(
        request_id=request.body.request_id,
        kind="request",
        customer_id=CUSTOMER,
        tier="gold",
        why="periodic",
        check=("identity", "income", "residence"),
        requested_at=format_ms(START + 80 * DAY),
        due_at=format_ms(START + 90 * DAY),
        grace_until=format_ms(START + 105 * DAY),
        since_review=Since(since=format_ms(START)),
    )


def test_a_reminder_is_the_request_again_with_an_id_of_its_own() -> None:
    request, _, reminder, _ = announce(CUSTOMER, GRANTED, START + 85 * DAY, POLICY).outgoing
    assert isinstance(request.body, ReReview)
    assert reminder.body == replace(request.body, kind="reminder")
    assert reminder.message_id != request.message_id


def test_the_demotion_is_a_tier_change_with_new_entitlements_and_an_audit_entry() -> None:
    end = START + 105 * DAY
    before = announce(CUSTOMER, GRANTED, end - 1, POLICY).dossier
    audit, action, entitled, told = (one.body for one in announce(CUSTOMER, before, end + 5, POLICY).outgoing)
    assert isinstance(audit, AuditEntry)
    assert (audit.what, audit.actor, audit.subject, audit.result) == (
        "review.demoted",
        "review_clock",
        CUSTOMER,
        "applied",
    )
    assert audit.detail == f"gold -> base, at {format_ms(end)}"
    assert isinstance(action, AccountAction)
    assert (action.action, action.because, action.tier_from, action.tier_to) == (
        "tier_change",
        "review_overdue",
        "gold",
        "base",
    )
    assert isinstance(entitled, Entitlement)
    assert (entitled.tier, entitled.grace_until) == ("base", None)
    assert isinstance(told, Notification)
    assert (told.template, told.parameters) == ("tier_changed", {"tier_from": "gold", "tier_to": "base"})


def test_an_expiry_has_no_grace_and_leaves_nothing_to_demote() -> None:
    fields = admission(START, expires_at=format_ms(START + 93 * DAY))
    dossier = after((fields, START))
    assert tier_at(dossier, START + 93 * DAY - 1) == "gold"
    assert tier_at(dossier, START + 93 * DAY) is None
    dossier, outgoing = announce(CUSTOMER, dossier, START + 92 * DAY, POLICY)
    assert heard(outgoing) == ["request", "reminder"]
    assert isinstance(outgoing[0].body, ReReview)
    assert outgoing[0].body.grace_until == fields["expires_at"]
    dossier, outgoing = announce(CUSTOMER, dossier, START + 93 * DAY, POLICY)
    assert heard(outgoing) == ["grant_expired"]
    assert [one.body.what for one in outgoing if isinstance(one.body, AuditEntry)] == ["grant.expired"]
    assert announce(CUSTOMER, dossier, START + 500 * DAY, POLICY).outgoing == ()


def test_a_renewal_in_time_starts_the_clock_anew() -> None:
    asked = announce(CUSTOMER, GRANTED, START + 85 * DAY, POLICY).dossier
    renewed = after((admission(START + 87 * DAY), START + 87 * DAY), dossier=asked)
    assert due(CUSTOMER, renewed) == START + (87 + 80) * DAY - OWN_MS
    assert announce(CUSTOMER, renewed, START + 105 * DAY, POLICY).outgoing == ()
    assert tier_at(renewed, START + 105 * DAY) == "gold"


def test_who_has_no_grant_is_never_due() -> None:
    assert due(CUSTOMER, Dossier()) is None
    assert announce(CUSTOMER, Dossier(), START, POLICY) == (Dossier(), ())


def test_due_names_each_step_and_then_nothing() -> None:
    dossier, days = GRANTED, []
    while (moment := due(CUSTOMER, dossier)) is not None:
        days.append((moment - START) / DAY)
        dossier = announce(CUSTOMER, dossier, moment, POLICY).dossier
    assert days == [80 - OWN_MS / DAY, 85, 90, 95, 105]


EXPIRING = after((admission(START, evidence=[document(expires_at=format_ms(START + 100 * DAY))]), START))
UNUSED = dataclasses.replace(GRANTED, grant=GRANTED.grant and dataclasses.replace(GRANTED.grant, dormant_ms=40 * DAY))


@pytest.mark.parametrize(
    "of_all, first_day",
    [(GRANTED, 79), (EXPIRING, 69), (UNUSED, 40)],
    ids=["one review date", "one expiry", "one silence"],
)
def test_one_date_for_many_comes_to_each_at_a_moment_of_their_own(of_all: Dossier, first_day: int) -> None:
    moments = [due(f"c-{number}", of_all) or 0 for number in range(10_000)]
    assert all(first_day <= (moment - START) / DAY <= first_day + 1 for moment in moments)
    a_minute = Counter(moment // 60_000 for moment in moments)
    assert max(a_minute.values()) < 40
    assert len(a_minute) > 0.99 * 24 * 60


def test_nobody_is_asked_for_a_review_before_the_grant() -> None:
    review_ms = START + REVIEW.notice_ms
    soon = after((admission(START, review_at=format_ms(review_ms)), START))
    assert due(CUSTOMER, soon) == START


def test_a_schedule_asks_no_earlier_than_the_grant_and_reminds_only_between_request_and_end() -> None:
    soon = schedule(START, START + 2 * DAY, START + 300 * DAY, REVIEW)
    assert soon == (START, START + 2 * DAY, START + 7 * DAY, START + 17 * DAY)
    short = replace(REVIEW, remind_ms=(-20 * DAY, -10 * DAY, 0, 0, 15 * DAY, 40 * DAY))
    steps = schedule(START, START + 90 * DAY, START + 300 * DAY, short)
    assert [(moment - START) / DAY for moment in steps] == [80, 90, 105]


def test_the_review_clock_hands_out_who_is_due_in_order_and_no_more_than_asked() -> None:
    clock = ReviewClock([("b", 10), ("a", 10), ("c", 5), ("d", 99), ("e", None)])
    assert (len(clock), clock.next_ms()) == (4, 5)
    assert clock.take_due(4, 9) == []
    assert clock.take_due(10, 2) == ["c", "a"]
    assert clock.take_due(10, 2) == ["b"]
    assert clock.take_due(10, 2) == []
    assert (len(clock), clock.next_ms()) == (1, 99)


def test_the_review_clock_forgets_what_was_replaced() -> None:
    clock = ReviewClock([("a", 10)])
    clock.put("a", 20)
    clock.put("b", 15)
    clock.put("b", None)
    assert clock.take_due(19, 9) == []
    clock.put("a", 10)
    assert clock.take_due(19, 9) == ["a"]
    assert clock.next_ms() is None


def test_the_review_clock_does_not_grow_with_renewals() -> None:
    clock = ReviewClock()
    for moment in range(10_000):
        clock.put("a", moment)
    assert len(clock._heap) < 100
    assert clock.take_due(10_000, 9) == ["a"]
