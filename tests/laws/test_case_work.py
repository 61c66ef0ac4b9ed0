"""What people do with a case, and what time does: it sleeps, ends, opens again, parts or becomes one with another."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cases.case import ends_ms
from pipeline.cases.notice import loudness, told_from_ms
from schemas.case_event import CaseAbsorbed, CaseSplit
from schemas.decision import Severity
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms
from tests.laws.case_network import BEGAN_MS, TERMS, Network, one_case, pass_time, seen, work


def test_severity_falls_when_somebody_has_it_and_it_is_calm_and_rises_again() -> None:
    network = one_case()
    network.tell(seen(2, "c-1", BEGAN_MS + TERMS.calm_ms - 1, severity="low", outcome="review"))
    pass_time(network.run(), TERMS.calm_ms + 1)
    assert [loudness(case) for case in network.standing()] == ["page"]
    work(network, "assign", to="ada")
    pass_time(network, 0)
    assert [(loudness(case), case.severity, case.assignee) for case in network.standing()] == [("ticket", "low", "ada")]
    network.tell(seen(3, "c-1", network.now_ms, severity="critical"))
    assert [loudness(case) for case in network.run().standing()] == ["page"]


def test_a_case_that_nobody_takes_up_is_closed_when_it_is_due_and_quiet_and_not_before() -> None:
    network = one_case()
    (case,) = network.standing()
    pass_time(network, ends_ms(case, TERMS) - BEGAN_MS - 1)
    assert [each.state for each in network.standing()] == ["open"]
    pass_time(network, 1)
    assert [(each.state, each.closed_by) for each in network.standing()] == [("closed", "tierwatch")]


def test_a_case_that_somebody_has_stays_theirs() -> None:
    network = one_case()
    work(network, "assign", to="ada")
    pass_time(network, 30 * MS_PER_DAY)
    assert [each.state for each in network.standing()] == ["open"]


def test_what_comes_after_the_end_opens_it_again() -> None:
    network = one_case()
    work(network, "close", label="genuine")
    assert [(case.state, case.closed_by, case.label) for case in network.standing()] == [("closed", "ada", "genuine")]
    network.tell(seen(2, "c-1", BEGAN_MS + 1))
    (case,) = network.run().standing()
    assert (case.state, case.closed_by, case.label, case.reopened, case.alerts) == ("open", "", "", 1, 2)


def test_nobody_hears_of_a_snoozed_case_until_it_wakes() -> None:
    network = one_case()
    work(network, "snooze", until=format_ms(BEGAN_MS + 1_000))
    (case,) = network.standing()
    assert told_from_ms(case) == BEGAN_MS + 1_000


@pytest.mark.parametrize("severity, sleeps_ms", [("high", 4 * MS_PER_HOUR), ("critical", 0)])
def test_what_is_graver_than_it_was_put_off_for_wakes_a_case(severity: Severity, sleeps_ms: int) -> None:
    network = Network(TERMS, BEGAN_MS)
    network.tell(seen(1, "c-1", BEGAN_MS, severity="high"))
    network.run()
    work(network, "snooze", until=format_ms(BEGAN_MS + 4 * MS_PER_HOUR))
    network.tell(seen(2, "c-1", BEGAN_MS + 1, severity=severity))
    (case,) = network.run().standing()
    assert told_from_ms(case) == BEGAN_MS + sleeps_ms


def test_a_part_that_is_another_incident_becomes_one_and_stays_one() -> None:
    network = one_case()
    parts = tuple(seen(number, "c-1", BEGAN_MS + number) for number in (2, 3))
    network.tell(*parts)
    (case,) = network.run().standing()
    at = format_ms(BEGAN_MS)
    network.tell(CaseSplit(key="customer:c-1", event_id="e-1", case_id=case.case_id, alerts=parts, actor="ada", at=at))
    network.tell(seen(4, "c-1", BEGAN_MS + 4))
    network.run()
    assert network.together() == {frozenset({"al-1", "al-4"}), frozenset({"al-2", "al-3"})}
    assert sorted(each.alerts for each in network.standing()) == [2, 2]


def test_a_person_makes_two_cases_one() -> None:
    network = one_case()
    network.tell(seen(2, "c-2", BEGAN_MS, outcome="hold"))
    one, other = network.run().standing()
    network.tell(
        CaseAbsorbed(
            key="customer:c-1",
            case_id=one.case_id,
            into_key="customer:c-2",
            into_case_id=other.case_id,
            at=format_ms(BEGAN_MS),
            event_id="e-1",
            actor="ada",
        )
    )
    (case,) = network.run().standing()
    assert (case.entity, case.alerts, case.outcome, case.severity) == ("c-2", 2, "hold", "critical")
    assert network.together() == {frozenset({"al-1", "al-2"})}


@given(st.lists(st.sampled_from(list(permutations(range(3), 2))), max_size=6), st.integers(0, 2**32))
def test_whatever_people_make_one_at_the_same_time_no_alert_is_lost(merges: list[tuple[int, int]], seed: int) -> None:
    network = Network(TERMS, BEGAN_MS, random.Random(seed).randrange)
    network.tell(*(seen(number, f"c-{number % 3}", BEGAN_MS) for number in range(6)))
    cases = network.run().standing()
    for number, (one, other) in enumerate(merges):
        network.tell(
            CaseAbsorbed(
                key=f"customer:{cases[one].entity}",
                case_id=cases[one].case_id,
                into_key=f"customer:{cases[other].entity}",
                into_case_id=cases[other].case_id,
                at=format_ms(BEGAN_MS),
                event_id=f"e-{number}",
                actor="ada",
            )
        )
    assert sum(case.alerts for case in network.run().standing()) == 6
