"""Laws of cases: every alert is in one case, one customer's quiet hours end it, and batches change nothing."""

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cases.case import MOST_RULES, QUIET_MS, is_over, join, over_ms
from pipeline.cases.page import alert_of, severity
from schemas.case import Case
from schemas.codec import encode
from schemas.decision import OUTCOMES, Alert, Signal
from schemas.timestamps import format_ms, parse_ms

BEGAN_MS = parse_ms("2026-11-22T10:00:00Z")
SEVERITIES = ("low", "medium", "high", "critical")


def alert(number: int, customer: str, at_ms: int, outcome: str, rule: int, how_bad: str) -> Alert:
    fields = {
        "decision_id": f"d-{number}",
        "transaction_id": f"t-{number}",
        "source": "test",
        "customer_id": customer,
        "occurred_at": format_ms(at_ms),
        "arrived_at": format_ms(at_ms),
        "outcome": outcome,
        "tier": "gold",
        "score": 60,
        "lane": "standard",
        "policy_version": 1,
        "policy_hash": "00",
        "signals": (Signal(rule=f"rule_{rule}", mode="live", severity=how_bad, points=60, observed=2, limit=1),),  # type: ignore[arg-type]
        "base_tier_signals": (),
        "alert_id": f"al-{number}",
        "reasons": (),
        "features": {},
        "state_digest": "00",
    }
    return msgspec.convert(fields, Alert)


@st.composite
def stories(draw: st.DrawFn) -> list[Alert]:
    """Alerts of a few customers in the order of arrival, with gaps around the quiet that ends a case."""
    at_ms, told = BEGAN_MS, []
    gaps = st.one_of(st.integers(0, 60_000), st.sampled_from((QUIET_MS - 1, QUIET_MS, QUIET_MS + 1)))
    for number in range(draw(st.integers(1, 30))):
        at_ms += draw(gaps)
        customer = draw(st.sampled_from(("c-1", "c-2", "c-3")))
        outcome, how_bad = draw(st.sampled_from(OUTCOMES)), draw(st.sampled_from(SEVERITIES))
        told.append(alert(number, customer, at_ms, outcome, draw(st.integers(0, 14)), how_bad))
    return told


def cases_of(alerts: list[Alert]) -> dict[str, tuple[Case, list[Alert]]]:
    """Return each case as it ends, with the alerts that joined it."""
    newest: dict[str, Case] = {}
    found: dict[str, tuple[Case, list[Alert]]] = {}
    for each in alerts:
        case = newest[each.customer_id] = join(newest.get(each.customer_id), each)
        _, members = found.get(case.case_id, (case, []))
        found[case.case_id] = (case, [*members, each])
    return found


@given(stories())
def test_every_alert_is_in_one_case_of_its_customer(alerts: list[Alert]) -> None:
    found = cases_of(alerts)
    assert sorted(each.alert_id for _, members in found.values() for each in members) == sorted(
        each.alert_id for each in alerts
    )
    for case, members in found.values():
        assert {each.customer_id for each in members} == {case.customer_id}
        assert case.alerts == len(members)
        assert (case.first_alert_id, case.last_alert_id) == (members[0].alert_id, members[-1].alert_id)
        assert case.outcome == max((each.outcome for each in members), key=OUTCOMES.index)
        fired = list(dict.fromkeys(signal.rule for each in members for signal in each.signals))
        assert list(case.rules) == fired[:MOST_RULES]


@given(stories())
def test_quiet_and_nothing_else_ends_a_case(alerts: list[Alert]) -> None:
    for customer in {each.customer_id for each in alerts}:
        mine = [each for each in alerts if each.customer_id == customer]
        gaps = [parse_ms(later.arrived_at) - parse_ms(earlier.arrived_at) for earlier, later in pairwise(mine)]
        assert len(cases_of(mine)) == 1 + sum(gap >= QUIET_MS for gap in gaps)


@given(stories())
def test_a_page_names_nobody_and_stays_one_alert(alerts: list[Alert]) -> None:
    for case, _ in cases_of(alerts).values():
        told = alert_of(case)
        assert b"c-" not in msgspec.json.encode(told)
        assert told["labels"] == {"alertname": "TierwatchCase", "case": case.case_id, "severity": severity(case)}
        assert told["endsAt"] == format_ms(over_ms(case))
        assert is_over(case, over_ms(case))
        assert not is_over(case, over_ms(case) - 1)


def test_ten_thousand_alerts_are_one_case_of_one_size() -> None:
    case = None
    for number in range(10_000):
        case = join(case, alert(number, "c-1", BEGAN_MS + number * 6, "hold", number % 15, "critical"))
    assert case is not None
    assert case.alerts == 10_000
    assert severity(case) == "page"
    assert len(encode(case)) < 500
