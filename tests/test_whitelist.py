"""A customer's life on the whitelist, event by event."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from pipeline.policy.model import Person
from pipeline.whitelist import table
from pipeline.whitelist.dossier import APPLIED_KEPT, Dossier, tier_at
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.life import Applied, Duplicate, Refusal
from pipeline.whitelist.on_time import due
from pipeline.whitelist.outgoing import Outgoing
from pipeline.whitelist.tiers import tier_in_force
from pipeline.whitelist.transition import DeviceKnown, PayeeKnown
from schemas.account_action import AccountAction
from schemas.audit import AuditEntry
from schemas.customer_event import CustomerEvent
from schemas.entitlement import Entitlement
from schemas.notification import Notification
from schemas.reasons import RefusalReason
from schemas.signing import sign
from schemas.timestamps import format_ms
from tests.grants import (
    CUSTOMER,
    DAY,
    POLICY,
    START,
    admission,
    admission_fields,
    after,
    arrive,
    document,
    fields_of,
    freeze,
    lift,
    private_key,
    public_key,
    signed,
)


def applied(fields: dict[str, Any], dossier: Dossier, arrival_ms: int) -> Applied:
    outcome = arrive(fields, dossier, arrival_ms)
    assert isinstance(outcome, Applied), outcome
    return outcome


def refused(fields: dict[str, Any], dossier: Dossier, arrival_ms: int) -> RefusalReason:
    outcome = arrive(fields, dossier, arrival_ms)
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason


def bodies(outgoing: tuple[Outgoing, ...]) -> list[Any]:
    return [one.body for one in outgoing]


def actions(outgoing: tuple[Outgoing, ...]) -> list[tuple[str, str, str]]:
    asked = [body for body in bodies(outgoing) if isinstance(body, AccountAction)]
    return [(body.action, body.tier_from, body.tier_to) for body in asked]


def test_an_admission_grants_the_tier_and_says_so_to_everybody_concerned() -> None:
    arrival = START + 1_000
    outcome = applied(admission(START), Dossier(), arrival)
    audit, action, entitled, told = outcome.outgoing
    at = format_ms(arrival)
    event_id = "admission.approved 0"
    assert audit.topic == "audit"
    assert audit.body == AuditEntry(
        entry_id=audit.message_id,
        subject=CUSTOMER,
        what="admission.approved",
        actor="ana",
        result="applied",
        at=at,
        event_id=event_id,
        detail="base -> gold; approved by ana, ben",
    )
    assert action.topic == "account-actions"
    assert action.body == AccountAction(
        action_id=action.message_id,
        action="tier_change",
        customer_id=CUSTOMER,
        because="admission_approved",
        requested_at=at,
        event_id=event_id,
        tier_from="base",
        tier_to="gold",
    )
    assert entitled.topic == "entitlements"
    assert entitled.body == Entitlement(
        customer_id=CUSTOMER,
        as_of=at,
        tier="gold",
        limits={"amount_24h": 300_000, "count_24h": 30},
        fee_bps=80,
        authentication="otp",
        lane="priority",
        service_channel="desk",
        frozen=False,
        base_currency="USD",
        policy_version=7,
        policy_hash="ab" * 32,
        granted_at=format_ms(START),
        expires_at=format_ms(START + 365 * DAY),
        review_at=format_ms(START + 90 * DAY),
        grace_until=format_ms(START + 105 * DAY),
    )
    assert isinstance(told.body, Notification)
    assert told.body.parameters == {"tier_from": "base", "tier_to": "gold"}
    assert len({one.message_id for one in outcome.outgoing}) == 4
    assert {one.time for one in outcome.outgoing} == {at}
    assert tier_at(outcome.dossier, arrival) == "gold"
    grant = outcome.dossier.grant
    assert grant is not None
    assert grant.approvers == ("ana", "ben")


def test_the_base_tier_is_the_absence_of_a_grant() -> None:
    assert tier_at(Dossier(), START) is None
    assert tier_in_force(Dossier(), POLICY, START).name == "base"
    stands = entitlement("nobody", Dossier(), POLICY, START)
    assert (stands.tier, stands.granted_at, stands.expires_at, stands.grace_until) == ("base", None, None, None)


def _changed(tier: str = "gold", **changes: object) -> dict[str, Any]:
    return admission(START, tier, **changes)


def _forged() -> dict[str, Any]:
    return {**admission(START, "silver"), "tier": "gold"}


def _signed_by(*signers: str) -> dict[str, Any]:
    return signed(admission_fields(START, actor=signers[0]), signers)


def _wrong_key(key_id: str) -> dict[str, Any]:
    fields = admission(START)
    return {**fields, "signature": {**fields["signature"], "key_id": key_id}}


LATE = START + DAY
REFUSED = {
    "a tier nobody knows": (_changed(tier="diamond"), START, "unknown_tier"),
    "the base tier": (_changed(tier="base"), START, "not_a_grant"),
    "a field changed after signing": (_forged(), START, "bad_signature"),
    "an unknown field added after signing": ({**admission(START), "note": 1}, START, "bad_signature"),
    "a number that no two readers agree on": ({**admission(START), "note": 2**60}, START, "bad_signature"),
    "somebody unknown": (_signed_by("ana", "mallory"), START, "unknown_person"),
    "an unknown key": (_wrong_key("k-9"), START, "unknown_key"),
    "an approver without the role": (_signed_by("ana", "eve"), START, "not_authorised"),
    "one person where two are due": (_signed_by("ana"), START, "too_few_approvers"),
    "one person twice": (_signed_by("ana", "ana"), START, "same_person_twice"),
    "the customer approves": (_signed_by("ana", CUSTOMER), START, "own_case"),
    "the actor is not who signed": (
        signed(admission_fields(START, actor="ben"), ("ana", "ana")),
        START,
        "bad_signature",
    ),
    "no evidence": (_changed(evidence=[]), START, "no_evidence"),
    "evidence over on arrival": (_changed(evidence=[document(expires_at=format_ms(LATE))]), LATE, "evidence_expired"),
    "the second document over": (
        _changed(evidence=[document(), document(expires_at=format_ms(LATE))]),
        LATE,
        "evidence_expired",
    ),
    "evidence younger than the event": (
        _changed(evidence=[document(issued_at=format_ms(START + 1))]),
        LATE,
        "evidence_from_the_future",
    ),
    "over on arrival": (
        _changed(expires_at=format_ms(LATE), review_at=format_ms(START + 1)),
        LATE,
        "expired",
    ),
    "longer than the tier allows": (_changed(expires_at=format_ms(START + 400 * DAY + 1)), START, "grant_too_long"),
    "no review before the expiry": (
        _changed(expires_at=format_ms(START + 30 * DAY), review_at=format_ms(START + 30 * DAY)),
        START,
        "review_after_expiry",
    ),
    "a review too far off": (_changed(review_at=format_ms(START + 90 * DAY + 1)), START, "review_too_far"),
    "review and grace over on arrival": (_changed(), START + 105 * DAY, "review_overdue"),
    "from the future": (_changed(), START - 300_001, "from_the_future"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_admission_is_refused_with_its_reason(case: str) -> None:
    fields, arrival, reason = REFUSED[case]
    outcome = arrive(fields, Dossier(), arrival)
    assert isinstance(outcome, Refusal)
    assert outcome.reason == reason
    (audit,) = bodies(outcome.outgoing)
    assert (audit.result, audit.reason, audit.what, audit.actor) == (
        "refused",
        reason,
        "admission.approved",
        fields["actor"],
    )
    assert audit.detail


@pytest.mark.parametrize(
    "fields, arrival",
    [
        (_changed(evidence=[document(expires_at=format_ms(LATE + 1))]), LATE),
        (_changed(evidence=[document(issued_at=format_ms(START))]), START),
        (_changed(expires_at=format_ms(START + 400 * DAY)), START),
        (_changed(), START + 105 * DAY - 1),
        (_changed(), START - 300_000),
        (_signed_by("ben", "ana"), START),
        ({**admission(START, "silver"), "actor": "ana"}, START),
    ],
)
def test_what_just_suffices_suffices(fields: dict[str, Any], arrival: int) -> None:
    assert tier_at(applied(fields, Dossier(), arrival).dossier, arrival) == fields["tier"]


def test_one_key_under_two_names_is_one_hand() -> None:
    people = (*POLICY.people, Person("ann", ("risk",), {"k-1": public_key("ana")}))
    fields = signed(admission_fields(START), ("ana",))
    again = {"person": "ann", "key_id": "k-1", "value": fields["signature"]["value"]}
    outcome = arrive({**fields, "countersignatures": [again]}, Dossier(), START, replace(POLICY, people=people))
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "same_person_twice"


def test_one_person_with_two_keys_is_one_hand() -> None:
    ana, *others = POLICY.people
    two_keys = Person("ana", ana.roles, {"k-1": public_key("ana"), "k-2": public_key("other")})
    fields = signed(admission_fields(START), ("ana",))
    again = {"person": "ana", "key_id": "k-2", "value": sign(private_key("other"), fields)}
    changed = replace(POLICY, people=(two_keys, *others))
    outcome = arrive({**fields, "countersignatures": [again]}, Dossier(), START, changed)
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "same_person_twice"


def test_a_policy_without_people_admits_nobody() -> None:
    outcome = arrive(admission(START), Dossier(), START, replace(POLICY, people=()))
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "unknown_person"


def test_a_repeat_is_ignored_and_other_content_under_its_id_refused() -> None:
    dossier = after((admission(START), START))
    assert isinstance(arrive(admission(START), dossier, START + DAY), Duplicate)
    assert isinstance(arrive(admission(START), dossier, START + 200 * DAY), Duplicate)
    other = admission(START + 1, "silver", event_id="admission.approved 0")
    assert refused(other, dossier, START + DAY) == "already_applied"


def test_a_repeat_that_was_forgotten_still_raises_nobody() -> None:
    dossier = after((admission(START), START))
    for n in range(APPLIED_KEPT):
        dossier = after((fields_of("payee.added", START, payee_id=f"p-{n}", event_id=f"e-{n}"), START), dossier=dossier)
    assert len(dossier.applied) == APPLIED_KEPT
    assert refused(admission(START), dossier, START + DAY) == "older_than_known"


def test_an_older_grant_never_takes_the_place_of_a_newer_one() -> None:
    dossier = after((admission(START + DAY, "silver"), START + DAY))
    assert refused(admission(START, "gold"), dossier, START + 2 * DAY) == "older_than_known"
    assert refused(admission(START + DAY, "gold", event_id="x"), dossier, START + 2 * DAY) == "older_than_known"
    assert tier_at(after((admission(START + DAY + 1), START + 2 * DAY), dossier=dossier), START + 2 * DAY) == "gold"


def test_a_lower_grant_lowers_even_when_it_comes_late() -> None:
    gold = after((admission(START), START))
    silver = admission(START + DAY, "silver", evidence=[document(expires_at=format_ms(START + 2 * DAY))])
    outcome = applied(silver, gold, START + 30 * DAY)
    assert tier_at(outcome.dossier, START + 30 * DAY) == "silver"
    assert actions(outcome.outgoing) == [("tier_change", "gold", "silver")]
    # The same as a raise would be refused: its evidence is over.
    assert refused(silver, Dossier(), START + 30 * DAY) == "evidence_expired"
    assert refused(lift(START + DAY), after((freeze(START), START), dossier=outcome.dossier), START + 31 * DAY) == (
        "older_than_known"
    )


def test_a_lower_grant_is_no_raise_so_a_later_freeze_does_not_stop_it() -> None:
    frozen = after((admission(START), START), (freeze(START + 2), START + 2))
    silver = after((admission(START + 1, "silver"), START + 3), dossier=frozen)
    assert (tier_at(silver, START + 3), silver.frozen) == ("silver", True)
    assert refused(lift(START + 2), silver, START + 4) == "older_than_known"


def test_a_lower_grant_that_is_over_on_arrival_leaves_base_and_says_so_once() -> None:
    gold = after((admission(START), START))
    silver = admission(START + 1, "silver", review_at=format_ms(START + DAY))
    outcome = applied(silver, gold, START + 30 * DAY)
    assert tier_at(outcome.dossier, START + 30 * DAY) is None
    assert actions(outcome.outgoing) == [("tier_change", "gold", "base")]
    assert due(CUSTOMER, outcome.dossier) is None


def test_a_renewal_moves_the_dates_and_asks_the_core_system_for_nothing() -> None:
    dossier = after((admission(START), START))
    outcome = applied(admission(START + 20 * DAY), dossier, START + 20 * DAY)
    audit, entitled = bodies(outcome.outgoing)
    assert audit.detail == "gold -> gold; approved by ana, ben"
    assert entitled.review_at == format_ms(START + 110 * DAY)


def test_a_renewal_from_before_the_demotion_comes_too_late() -> None:
    dossier = after((admission(START), START))
    end = START + 105 * DAY
    assert refused(admission(end - 1), dossier, end) == "older_than_known"
    assert refused(admission(end), dossier, end) == "older_than_known"
    assert tier_at(after((admission(end + 1), end + 1), dossier=dossier), end + 1) == "gold"


def test_a_lift_must_have_seen_a_demotion_too_even_one_renewed_since() -> None:
    end = START + 105 * DAY
    renewed = after((admission(START), START), (freeze(end - DAY), end - DAY), (admission(end + 1), end + 2))
    assert refused(lift(end), renewed, end + 3) == "older_than_known"
    assert not after((lift(end + 1), end + 3), dossier=renewed).frozen


def test_a_demotion_that_no_tick_told_is_told_before_the_new_grant() -> None:
    dossier = after((admission(START), START))
    late = START + 200 * DAY
    outcome = applied(admission(late), dossier, late)
    assert actions(outcome.outgoing) == [("tier_change", "gold", "base"), ("tier_change", "base", "gold")]
    assert [one.topic for one in outcome.outgoing] == [
        "re-reviews",
        "notifications",
        "re-reviews",
        "notifications",
        *("audit", "account-actions", "entitlements", "notifications"),
        *("audit", "account-actions", "entitlements", "notifications"),
    ]
    assert len({one.message_id for one in outcome.outgoing}) == 12


def test_a_grant_of_a_tier_that_the_policy_dropped_gives_base() -> None:
    dossier = after((admission(START), START))
    without = replace(POLICY, tiers=POLICY.tiers[:2])
    assert tier_in_force(dossier, without, START).name == "base"
    stands = entitlement(CUSTOMER, dossier, without, START)
    assert (stands.tier, stands.granted_at) == ("base", None)


def test_anybody_freezes_at_once_and_the_tiers_approvers_lift() -> None:
    frozen = applied(freeze(START + DAY), after((admission(START), START)), START + DAY)
    audit, action, entitled = bodies(frozen.outgoing)
    assert (audit.what, audit.actor, audit.result) == ("account.frozen", "anybody", "applied")
    assert (action.action, action.because) == ("freeze", "account_frozen")
    assert (entitled.frozen, entitled.tier) == (True, "gold")
    assert frozen.dossier.frozen_since_ms == START + DAY
    later = START + 2 * DAY
    assert refused(lift(later, ("ana",)), frozen.dossier, later) == "too_few_approvers"
    assert refused(lift(later, ("olga", "ana")), frozen.dossier, later) == "not_authorised"
    assert refused({**lift(later), "rationale": "forged"}, frozen.dossier, later) == "bad_signature"
    lifted = applied(lift(later), frozen.dossier, later)
    assert not lifted.dossier.frozen
    assert actions(lifted.outgoing) == [("unfreeze", "", "")]
    assert refused(lift(later + 1), lifted.dossier, later + 1) == "not_now"


def test_at_base_the_approvers_of_the_lowest_tier_lift() -> None:
    frozen = after((freeze(START), START))
    assert refused(lift(START + 1, ("olga",)), frozen, START + 1) == "not_authorised"
    assert not after((lift(START + 1, ("eve",)), START + 1), dossier=frozen).frozen


def test_a_second_freeze_says_nothing_new_but_outlasts_an_older_lift() -> None:
    frozen = after((freeze(START), START))
    again = applied(freeze(START + 2), frozen, START + 2)
    assert [one.topic for one in again.outgoing] == ["audit"]
    assert again.dossier.frozen_since_ms == START
    assert refused(lift(START + 1, ("eve",)), again.dossier, START + 3) == "older_than_known"
    assert refused(lift(START + 2, ("eve",)), again.dossier, START + 3) == "older_than_known"
    assert not after((lift(START + 3, ("eve",)), START + 3), dossier=again.dossier).frozen


def test_a_freeze_that_comes_after_a_later_lift_freezes_again() -> None:
    lifted = after((freeze(START), START), (lift(START + 5, ("eve",)), START + 5))
    assert after((freeze(START + 3), START + 9), dossier=lifted).frozen


def test_an_admission_from_before_a_freeze_does_not_raise() -> None:
    frozen = after((freeze(START), START))
    assert refused(admission(START, event_id="x"), frozen, START + 1) == "older_than_known"
    assert tier_at(after((admission(START + 1), START + 1), dossier=frozen), START + 1) == "gold"


def test_neither_a_careless_id_nor_a_fast_clock_keeps_a_freeze_out() -> None:
    dossier = after((freeze(START), START), (lift(START + 1, ("eve",)), START + 1))
    reused = freeze(START + 2, event_id="account.frozen 0")
    assert after((reused, START + 2), dossier=dossier).frozen
    far = after((freeze(START + 999 * DAY), START))
    assert far.frozen_since_ms == START + POLICY.skew_ms
    lifted_at = START + POLICY.skew_ms + 1
    assert not after((lift(lifted_at, ("eve",)), lifted_at), dossier=far).frozen


def test_devices_and_payees_become_known_to_the_windows() -> None:
    device = applied(fields_of("device.registered", START, device_id="d-1"), Dossier(), START)
    assert device.effects == (DeviceKnown("d-1", START),)
    assert [one.topic for one in device.outgoing] == ["audit"]
    payee = applied(fields_of("payee.added", START, payee_id="p-1"), device.dossier, START)
    assert payee.effects == (PayeeKnown("p-1", START),)
    assert len(payee.dossier.applied) == 2
    early = fields_of("payee.added", START + 300_001, payee_id="p-2")
    assert refused(early, payee.dossier, START) == "from_the_future"


def test_every_customer_event_has_its_row_in_the_table() -> None:
    assert {event for row in table.EVENTS for event in row.on} == set(get_args(CustomerEvent))


def test_the_docs_explain_every_refusal_an_event_can_meet() -> None:
    page = (Path(__file__).parents[1] / "docs" / "whitelist.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    sources = "".join(path.read_text() for path in Path(table.__file__).parent.glob("*.py"))
    met = {reason.value for reason in RefusalReason if f"RefusalReason.{reason.name}" in sources}
    assert explained == met


def test_the_audit_says_why() -> None:
    outcome = applied(admission(START, reason_code="callback_passed"), Dossier(), START)
    assert bodies(outcome.outgoing)[0].detail == "callback_passed; base -> gold; approved by ana, ben"


def test_a_removal_that_arrives_late_does_not_lift_the_suspension_after_it() -> None:
    removed, suspended = fields_of("tier.removed", START + 6), fields_of("tier.suspended", START + 7)
    late = after((suspended, START + 7), (removed, START + 8))
    assert late.suspended_since_ms == START + 7
    in_time = after((fields_of("tier.suspended", START + 5), START + 5), (removed, START + 6))
    assert in_time.suspended_since_ms is None
