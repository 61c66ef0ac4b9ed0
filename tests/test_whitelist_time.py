"""Grants as they come: older, lower, renewed, over on arrival, of a tier that is gone."""

from msgspec.structs import replace

from pipeline.whitelist.dossier import Dossier, tier_at
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.on_time import due
from pipeline.whitelist.tiers import tier_in_force
from schemas.timestamps import format_ms
from tests.grants import (
    CUSTOMER,
    DAY,
    POLICY,
    START,
    actions,
    admission,
    after,
    applied,
    bodies,
    document,
    freeze,
    lift,
    refused,
)


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
