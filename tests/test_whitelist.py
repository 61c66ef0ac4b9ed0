"""Freezes, lifts and what else an event does; every event, refusal and reason has its place."""

import re
from pathlib import Path
from typing import get_args

from pipeline.whitelist import table
from pipeline.whitelist.dossier import Dossier, tier_at
from pipeline.whitelist.transition import DeviceKnown, PayeeKnown
from schemas.customer_event import CustomerEvent
from schemas.reasons import RefusalReason
from tests.grants import (
    DAY,
    POLICY,
    START,
    actions,
    admission,
    after,
    applied,
    bodies,
    fields_of,
    freeze,
    lift,
    refused,
)


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


def test_a_removal_lifts_no_suspension_whichever_came_first() -> None:
    removed, suspended = fields_of("tier.removed", START + 6), fields_of("tier.suspended", START + 7)
    late = after((suspended, START + 7), (removed, START + 8))
    assert late.suspended_since_ms == START + 7
    in_time = after((fields_of("tier.suspended", START + 5), START + 5), (removed, START + 6))
    assert in_time.suspended_since_ms == START + 5
