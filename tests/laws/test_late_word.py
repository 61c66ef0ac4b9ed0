"""What arrives late is not lost because something newer is known: grants, renewals and lifts that it speaks against."""

import msgspec
import pytest

from schemas.timestamps import MS_PER_DAY, format_ms
from tests.laws.life_told import (
    POLICY,
    START,
    Fields,
    Now,
    Told,
    admission,
    event,
    filed,
    first_told,
    privileges,
    signed,
)
from tests.laws.test_tipping_off import MADE

assert POLICY.onboarding is not None
WITHOUT_PAPER = msgspec.structs.replace(POLICY, onboarding=msgspec.structs.replace(POLICY.onboarding, paper=False))
BOTH = ("ana", "ben")
_PAPER = ("event_type", "event_id", "customer_id", "occurred_at", "actor", "tier", "evidence")


def on(day: float, told: Told | None = None) -> Now:
    """A day of the story; what happens on it has a number of its own."""
    at_ms = START + int(day * MS_PER_DAY)
    known = told or first_told()
    return Now(at_ms, 1_000 + int(day * 10), known.dossier, known.asked)


def granted(day: float, tier: str, signers: tuple[str, ...], *, days: tuple[int, int] = (80, 300)) -> Fields:
    """An approval on paper: the days until its review, and until it expires."""
    at = on(day)
    unsigned = {name: value for name, value in admission(at, tier, signers, applied=False).items() if name in _PAPER}
    dates = {"review_at": format_ms(at.at_ms + days[0] * MS_PER_DAY)}
    return signed({**unsigned, **dates, "expires_at": format_ms(at.at_ms + days[1] * MS_PER_DAY)}, signers)


def arrive(*arrivals: tuple[float, Fields]) -> Told:
    told = first_told()
    for day, fields in arrivals:
        at_ms = START + int(day * MS_PER_DAY)
        told.look(at_ms)
        told.tell(fields, at_ms)
    return told


def rank(told: Told, day: float) -> int:
    return privileges(told.dossier, START + int(day * MS_PER_DAY))[0]


def test_a_renewal_that_comes_after_its_own_end_ends_what_it_would_have_renewed() -> None:
    held, renewal = granted(1, "silver", ("cho",)), granted(10, "silver", ("cho",), days=(1, 3))
    assert rank(arrive((1, held), (10, renewal)), 20) == 0
    late = arrive((1, held), (20, renewal))
    assert rank(late, 20) == 0
    # And what is older does not come back by arriving later still.
    late.tell(granted(5, "silver", ("cho",)), START + 21 * MS_PER_DAY)
    assert rank(late, 21) == 0


def test_a_renewal_whose_evidence_ran_out_on_the_way_lets_nothing_hold_for_longer_than_itself() -> None:
    held, renewal = granted(1, "silver", ("cho",)), granted(10, "silver", ("cho",), days=(20, 30))
    paper = [{**renewal["evidence"][0], "expires_at": format_ms(START + 12 * MS_PER_DAY)}]
    unsigned = {name: value for name, value in renewal.items() if name != "signature"}
    late = arrive((1, held), (20, signed({**unsigned, "evidence": paper}, ("cho",))))
    assert rank(late, 29) == 1
    assert rank(late, 41) == 0


@pytest.mark.parametrize("between", ["lower", "short", "gathered"])
def test_without_paper_no_renewal_outlives_what_it_rests_on(between: str) -> None:
    told = arrive((1, granted(1, "gold", BOTH)))
    told.policy = WITHOUT_PAPER
    assert told.tell(granted(60, "gold", ("cho", "dan")), on(60).at_ms)
    check = filed(on(0.5), "identity.verified", method="video", document_kind="passport")
    late = {
        "lower": granted(40, "silver", ("cho",)),
        "short": granted(40, "gold", BOTH, days=(1, 3)),
        "gathered": check | {"actor": "ben"},
    }
    assert rank(told, 76) == 2
    told.tell(late[between], on(76).at_ms)
    assert rank(told, 76) == (1 if between == "lower" else 0)


def test_a_suspension_told_late_is_not_undone_by_a_reinstatement_of_a_grant_that_nobody_would_have_given() -> None:
    suspended = event(on(1), "tier.suspended")
    grant = granted(2, "gold", BOTH)
    lifted = signed(event(on(4), "tier.reinstated"), BOTH)
    assert rank(arrive((1, suspended), (2, grant), (4, lifted)), 5) == 0
    assert rank(arrive((2, grant), (3, suspended), (4, lifted)), 5) == 0


def test_a_withdrawal_told_after_the_next_application_still_ends_what_it_was_about() -> None:
    told, day = first_told(), 0.0
    for kind in ("submit", "identity", "credit", "clear", "match"):
        day += 0.1
        now = on(day, told)
        told.tell(MADE[kind](now), now.at_ms)
    assert told.dossier.application is not None
    name = told.dossier.application.application_id
    withdrawn = event(on(day + 0.05), "application.withdrawn", application_id=name)
    approval = admission(on(day + 0.1, told), "silver", ("cho",), applied=True)
    assert told.tell(approval, on(day + 0.1).at_ms)
    assert told.tell(MADE["submit"](on(day + 0.2, told)), on(day + 0.2).at_ms)
    assert told.tell(withdrawn, on(day + 0.3).at_ms)
    assert rank(told, day + 0.3) == 0


def test_what_was_lifted_for_less_than_the_tier_takes_is_frozen_again_when_the_tier_is_known() -> None:
    grant = granted(2, "gold", BOTH)
    frozen, lifted = event(on(1), "account.frozen"), signed(event(on(3), "account.unfrozen"), ("cho",))
    assert arrive((1, frozen), (2, grant), (3, lifted)).dossier.frozen
    assert not arrive((1, frozen), (3, lifted)).dossier.frozen
    assert arrive((1, frozen), (3, lifted), (4, grant)).dossier.frozen
    early = event(on(2.5), "account.frozen")
    assert arrive((2.5, early), (2.7, grant), (3, lifted)).dossier.frozen
