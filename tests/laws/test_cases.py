"""Laws of cases: every alert is in one, whoever comes first; a campaign is one; work and bytes for each are bounded."""

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cases.case import is_near
from pipeline.cases.notice import is_backlog, loudness, notice_of, told_from_ms
from pipeline.policy.incidents import Campaign, Incidents
from schemas.case_event import AlertSeen
from schemas.codec import encode
from schemas.decision import OUTCOMES
from schemas.timestamps import MS_PER_DAY, parse_ms
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


@pytest.mark.parametrize("late", [0, 1, 3])
def test_a_backlog_is_told_apart_by_what_is_all_of_it_late(late: int) -> None:
    network = Network(TERMS, BEGAN_MS)
    network.tell(*(seen(number, "c-1", BEGAN_MS - MS_PER_DAY, delayed=number < late) for number in range(3)))
    (case,) = network.run().standing()
    assert is_backlog(case) == (late == 3)
    assert is_near(case, BEGAN_MS - MS_PER_DAY, TERMS)
