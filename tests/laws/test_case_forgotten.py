"""No open case is forgotten: not one that sleeps, was given back, or is one of many that people hold."""

from typing import Any

import msgspec
import pytest

from pipeline.cases.case import UnreadableTimeError, readable
from pipeline.cases.keeper import MOST_CASES
from pipeline.cases.notice import again, notice_of
from schemas.case_event import CaseAbsorbed, CaseSplit, CaseWorked
from schemas.timestamps import MS_PER_DAY, format_ms
from tests.laws.case_network import BEGAN_MS, TERMS, Network, one_case, pass_time, seen, work


def test_a_case_that_was_put_off_wakes_before_it_closes() -> None:
    network = one_case()
    work(network, "snooze", until=format_ms(BEGAN_MS + MS_PER_DAY))
    pass_time(network, MS_PER_DAY + TERMS.quiet_ms - 1)
    assert [each.state for each in network.standing()] == ["open"]
    pass_time(network, 1)
    assert [each.state for each in network.standing()] == ["closed"]


@pytest.mark.parametrize("before, how", [("close", "reopen"), ("assign", "assign")])
def test_what_is_opened_again_or_given_back_does_not_close_at_once(before: str, how: str) -> None:
    network = one_case()
    work(network, before, to="ada")
    pass_time(network, 3 * MS_PER_DAY)
    work(network, how, to="")
    pass_time(network, TERMS.quiet_ms - 1)
    assert [each.state for each in network.standing()] == ["open"]
    pass_time(network, 1)
    assert [each.state for each in network.standing()] == ["closed"]


def test_a_case_that_its_key_has_forgotten_is_worked_on_as_it_was_seen() -> None:
    network = one_case()
    work(network, "close", label="genuine")
    (case,) = network.standing()
    network.keys.clear()
    event: dict[str, Any] = {"key": "customer:c-1", "case_id": case.case_id, "actor": "ada", "at": case.opened_at}
    network.tell(CaseWorked(**event, event_id="e-1", action="reopen"))
    assert [each.state for each in network.run().standing()] == ["closed"]
    network.tell(CaseWorked(**event, event_id="e-2", action="reopen", case=case))
    assert [(each.state, each.alerts) for each in network.run().standing()] == [("open", 1)]


@pytest.mark.parametrize("count", [MOST_CASES, MOST_CASES + 1, MOST_CASES + 9])
def test_however_many_cases_people_hold_none_is_forgotten(count: int) -> None:
    network = Network(TERMS, BEGAN_MS)
    for number in range(count):  # each of them is somebody's, so that none closes by itself
        network.tell(seen(number, "c-1", BEGAN_MS + number * TERMS.quiet_ms))
        network.run()
        (newest,) = (case for case in network.standing() if not case.assignee)
        event = CaseWorked(
            key="customer:c-1",
            event_id=f"e-{number}",
            case_id=newest.case_id,
            action="assign",
            actor="ada",
            at=newest.opened_at,
            to="ada",
        )
        network.tell(event)
        network.run()
    standing = {case.case_id for case in network.standing()}
    assert standing == {case.case_id for case in network.keys["customer:c-1"].cases if case.state == "open"}
    assert len(standing) == min(count, MOST_CASES)
    assert sum(case.alerts for case in network.standing()) == count
    assert sum(len(each) for each in network.together()) == count
    assert len(network.together()) == len(standing)


def test_whoever_forgets_is_told_of_somebody_s_case_until_they_close_it() -> None:
    network = one_case()
    (case,) = network.standing()
    told = notice_of(case, "page", TERMS, BEGAN_MS)
    assert again(told, told.until_ms - 1) == told
    assert again(told, told.until_ms) is None
    work(network, "assign", to="ada")
    (case,) = network.standing()
    held = notice_of(case, "page", TERMS, BEGAN_MS)
    for days in (1, 40, 400):
        kept = again(held, BEGAN_MS + days * MS_PER_DAY)
        assert kept is not None
        assert kept.until_ms > BEGAN_MS + days * MS_PER_DAY
        assert kept.said == held.said


@pytest.mark.parametrize("wrong", [{"due_at": "soon"}, {"snoozed_until": "never"}, {"seen_at": ("", "", "", "x")}])
def test_a_case_whose_times_are_none_is_named_before_anybody_goes_by_them(wrong: dict[str, Any]) -> None:
    (case,) = one_case().standing()
    assert readable(case) == case
    with pytest.raises(UnreadableTimeError):
        readable(msgspec.structs.replace(case, **wrong))


def test_parts_that_are_made_one_again_are_all_of_it() -> None:
    network = one_case()
    network.tell(*(seen(number, "c-1", BEGAN_MS + number) for number in (2, 3)))
    (case,) = network.run().standing()
    for turn in range(3):
        part = (seen(2, "c-1", BEGAN_MS + 2),)
        event: dict[str, Any] = {"key": "customer:c-1", "actor": "ada", "at": case.opened_at}
        network.tell(CaseSplit(**event, event_id=f"s-{turn}", case_id=case.case_id, alerts=part))
        (apart,) = (each for each in network.run().standing() if each.parted)
        event |= {"into_key": "customer:c-1", "into_case_id": case.case_id}
        network.tell(CaseAbsorbed(**event, event_id=f"m-{turn}", case_id=apart.case_id))
        (case,) = network.run().standing()
        assert (case.alerts, case.parted) == (3, False)
    assert network.together() == {frozenset({"al-1", "al-2", "al-3"})}
