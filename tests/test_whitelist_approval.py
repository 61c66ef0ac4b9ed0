"""Who may be granted a tier, by whose hands and on what: and what keeps everybody else at base."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.policy.model import Person
from pipeline.whitelist.dossier import APPLIED_KEPT, Dossier, tier_at
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.life import Duplicate, Refusal
from pipeline.whitelist.tiers import tier_in_force
from schemas.account_action import AccountAction
from schemas.audit import AuditEntry
from schemas.entitlement import Entitlement
from schemas.notification import Notification
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
    applied,
    arrive,
    bodies,
    document,
    fields_of,
    private_key,
    public_key,
    refused,
    signed,
)


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
