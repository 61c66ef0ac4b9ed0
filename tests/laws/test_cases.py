"""Laws of cases: every alert is in one, whoever comes first; a campaign is one; work and bytes for each are bounded."""

import random
from itertools import pairwise, permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cases.case import ends_ms, is_near
from pipeline.cases.keeper import settle
from pipeline.cases.notice import is_backlog, loudness, notice_of, told_from_ms
from pipeline.policy.incidents import Campaign, Incidents
from schemas.case_event import AlertSeen, CaseAbsorbed, CaseSplit, CaseWorked
from schemas.codec import encode
from schemas.decision import OUTCOMES, Severity
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms, parse_ms
from tests.laws.case_network import Network, seen

BEGAN_MS = parse_ms("2026-11-22T10:00:00Z")
TERMS = Incidents(campaign=Campaign(customers=4, within_ms=60_000))
SEEDS = st.integers(0, 2**32)
SEVERITIES = ("low", "medium", "high", "critical")


@st.composite
def stories(draw: st.DrawFn) -> list[AlertSeen]:
    """Alerts of a few customers at a few places, with gaps around the quiet that ends a case."""
    at_ms, told = BEGAN_MS, []
    quiet = TERMS.quiet_ms
    gaps = st.one_of(st.integers(0, 60_000), st.sampled_from((quiet - 1, quiet, quiet + 1)))
    for number in range(draw(st.integers(1, 20))):
        # Within the lateness of a policy.
        at_ms = min(at_ms + draw(gaps), BEGAN_MS + MS_PER_DAY)
        places = draw(st.sampled_from(((), ("merchant:m-1",), ("merchant:m-1", "device:d-1"), ("payee:p-1",))))
        told.append(
            seen(
                number,
                f"c-{draw(st.integers(1, 8))}",
                at_ms,
                places,
                rules=draw(st.sampled_from((("amount_24h",), ("count_1h", "amount_24h")))),
                outcome=draw(st.sampled_from(OUTCOMES)),
                severity=draw(st.sampled_from(SEVERITIES)),
            )
        )
    return told


def played(alerts: list[AlertSeen], seed: int) -> Network:
    """The alerts in this order, each key slow or fast by chance."""
    chance = random.Random(seed)
    network = Network(TERMS, BEGAN_MS, chance.randrange)
    for each in alerts:
        network.tell(each)
        if chance.random() < 0.5:
            network.step()
    return network.run()


def shuffled(alerts: list[AlertSeen], seed: int) -> list[AlertSeen]:
    return random.Random(seed).sample(alerts, len(alerts))


@given(stories(), SEEDS)
def test_every_alert_is_counted_in_one_case(alerts: list[AlertSeen], seed: int) -> None:
    network = played(alerts, seed)
    joined = [member.alert_id for member in network.members if member.alert_id]
    assert sorted(joined) == sorted(each.alert_id for each in alerts)
    assert sum(case.alerts for case in network.standing()) == len(alerts)
    assert sorted(len(each) for each in network.together()) == sorted(case.alerts for case in network.standing())
    worst = max((each.outcome for each in alerts), key=OUTCOMES.index)
    assert max((case.outcome for case in network.standing()), key=OUTCOMES.index) == worst


@given(stories(), SEEDS)
def test_quiet_and_nothing_else_divides_a_customer_s_alerts_whatever_their_order(
    alerts: list[AlertSeen], seed: int
) -> None:
    mine = [seen(number, "c-1", parse_ms(each.at)) for number, each in enumerate(alerts)]
    times = sorted(parse_ms(each.at) for each in mine)
    network = played(shuffled(mine, seed), seed)
    assert len(network.standing()) == 1 + sum(later - earlier >= TERMS.quiet_ms for earlier, later in pairwise(times))
    assert network.together() == played(mine, seed).together()


@given(st.integers(4, 12), st.integers(0, 12), SEEDS)
def test_a_campaign_is_one_case_in_whatever_order_its_alerts_come(customers: int, again: int, seed: int) -> None:
    buyers = [f"c-{number % customers}" for number in range(customers + again)]
    alerts = [
        seen(number, buyer, BEGAN_MS + number * 1_000, ("merchant:m-1", f"device:{buyer}"))
        for number, buyer in enumerate(buyers)
    ]
    network = played(shuffled(alerts, seed), seed)
    (case,) = network.standing()
    assert (case.correlation, case.entity, case.rule, case.alerts) == ("merchant", "m-1", "amount_24h", len(alerts))
    assert network.together() == {frozenset(each.alert_id for each in alerts)}
    # What was absorbed before its wait was over has paged nobody.
    assert [each for each in network.cases.values() if told_from_ms(each) <= BEGAN_MS and each.state == "open"] == [
        case
    ]


@given(st.integers(1, 3), SEEDS)
def test_fewer_customers_or_slower_ones_are_no_campaign(few: int, seed: int) -> None:
    together = [seen(number, f"c-{number}", BEGAN_MS + number, ("merchant:m-1",)) for number in range(few)]
    slow = [seen(9 + each, f"s-{each}", BEGAN_MS + (each + 4) * 20_001, ("merchant:m-2",)) for each in range(8)]
    others = [seen(20 + each, f"o-{each}", BEGAN_MS + each, (f"merchant:o-{each}",)) for each in range(8)]
    network = played(shuffled([*together, *slow, *others], seed), seed)
    assert {case.correlation for case in network.cases.values()} == {"customer"}
    assert len(network.standing()) == few + 16


@given(stories(), SEEDS)
def test_what_is_told_again_changes_nothing(alerts: list[AlertSeen], seed: int) -> None:
    network = played(alerts, seed)
    before = dict(network.cases)
    for each in alerts[-2:]:
        network.tell(each)
    network.run()
    assert network.cases == before


def test_thousands_of_customers_of_one_campaign_cost_the_same_each_and_make_one_case() -> None:
    terms = Incidents()
    network = Network(terms, BEGAN_MS, random.Random(7).randrange)
    costs = []
    for number in range(3_000):
        network.heard = 0
        network.tell(seen(number, f"c-{number}", BEGAN_MS + number * 6, ("merchant:m-1", f"device:d-{number}")))
        network.run()
        costs.append(network.heard)
    (case,) = network.standing()
    assert (case.alerts, case.rule) == (3_000, "amount_24h")
    assert sum(case.state == "absorbed" for case in network.cases.values()) == terms.campaign.customers - 1
    assert set(costs[terms.campaign.customers :]) == {1}
    assert network.largest < 4_000
    assert len(encode(case)) < 1_000


def test_fifty_incidents_are_fifty_cases() -> None:
    network = Network(Incidents(), BEGAN_MS)
    network.tell(*(seen(number, f"c-{number}", BEGAN_MS + number, (f"merchant:m-{number}",)) for number in range(50)))
    assert len(network.run().standing()) == 50


@given(stories(), SEEDS)
def test_no_key_grows_whatever_comes(alerts: list[AlertSeen], seed: int) -> None:
    network = played(alerts, seed)
    assert network.largest < 16_384


@given(stories(), SEEDS)
def test_a_notice_names_nobody_and_ends_when_its_case_does(alerts: list[AlertSeen], seed: int) -> None:
    for case in played(alerts, seed).cases.values():
        notice = notice_of(case, loudness(case), TERMS, BEGAN_MS + 1)
        told = msgspec.json.encode(notice)
        assert not any(name in told for name in (b"c-", b"m-1", b"d-1", b"p-1"))
        assert notice.key == case.case_id
        assert (notice.state == "over") == (case.state != "open") == (notice.until_ms == BEGAN_MS + 1)
        assert notice.since_ms <= notice.until_ms


def work(network: Network, action: str, **more: str) -> None:
    (case,) = network.standing()
    event = CaseWorked(
        key=f"{case.correlation}:{case.entity}",
        event_id=f"e-{network.heard}",
        case_id=case.case_id,
        action=action,  # type: ignore[arg-type]
        actor="ada",
        at=format_ms(network.now_ms),
        **more,  # type: ignore[arg-type]
    )
    network.tell(event)
    network.run()


def one_case() -> Network:
    network = Network(TERMS, BEGAN_MS)
    network.tell(seen(1, "c-1", BEGAN_MS, severity="critical", outcome="review"))
    return network.run()


def pass_time(network: Network, ms: int) -> None:
    network.now_ms += ms
    for key, state in network.keys.items():
        network.note(key, settle(state, network.terms, network.now_ms))


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


@given(st.lists(st.sampled_from(list(permutations(range(3), 2))), max_size=6), SEEDS)
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


@pytest.mark.parametrize("late", [0, 1, 3])
def test_a_backlog_is_told_apart_by_what_is_all_of_it_late(late: int) -> None:
    network = Network(TERMS, BEGAN_MS)
    network.tell(*(seen(number, "c-1", BEGAN_MS - MS_PER_DAY, delayed=number < late) for number in range(3)))
    (case,) = network.run().standing()
    assert is_backlog(case) == (late == 3)
    assert is_near(case, BEGAN_MS - MS_PER_DAY, TERMS)
