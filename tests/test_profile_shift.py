"""Trust that is lowered when a week leaves the customer's own profile: each measure in a story, each figure counted."""

import json
from functools import cache
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from console.record_lines import write_line
from console.replay import replay
from pipeline.behaviour.weeks import WEEK_MS
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from pipeline.whitelist.dossier import Dossier, Grant
from pipeline.whitelist.on_time import due
from pipeline.whitelist.profile import measured_from
from schemas.re_review import Measure
from schemas.timestamps import MS_PER_DAY, parse_ms
from tests.stories.tell import SCENARIOS

STORY = SCENARIOS / "leaves-the-own-profile"
GIVEN = (STORY / "given.jsonl").read_bytes().splitlines()
POLICY = load_policy((STORY / "policy.yaml").read_bytes())
TERMS = POLICY.profile_shift
WITHOUT = {
    "amount_7d": {"limit_pct": 100},
    "count_7d": {"limit_pct": 100},
    "new_payees_7d": {"new_payees": 99},
    "new_devices_7d": {"new_devices": 99},
}


@cache
def expected() -> list[Any]:
    return [json.loads(line) for line in (STORY / "then.jsonl").read_text().splitlines()]


def come_of(policy: Policy) -> list[Any]:
    return [json.loads(write_line(message)) for message in replay(GIVEN, policy)]


def shifts(lines: list[Any]) -> list[Any]:
    return [line["value"] for line in lines if line["value"].get("why") == "profile_shift"]


@pytest.mark.parametrize("measure", get_args(Measure))
def test_a_story_turns_red_without_the_measure(measure: str) -> None:
    assert TERMS is not None
    found = [one["measure"] for body in shifts(expected()) for one in body["departures"]]
    assert measure in found
    less = come_of(replace(POLICY, profile_shift=replace(TERMS, **WITHOUT[measure])))
    assert measure not in [one["measure"] for body in shifts(less) for one in body["departures"]]


def test_without_the_policy_s_word_nobody_looks() -> None:
    assert shifts(come_of(replace(POLICY, profile_shift=None))) == []


def test_whoever_has_the_payments_counts_the_same() -> None:
    payments = [line["value"] for line in map(json.loads, GIVEN) if line.get("topic") == "transactions"]
    bodies = shifts(expected())
    assert bodies
    for body in bodies:
        own = [one for one in payments if one["customer_id"] == body["customer_id"]]
        for one in body["departures"]:
            ends = [parse_ms(one["until"]) - week * WEEK_MS for week in range(4)]
            assert [one["observed"], *one["earlier"]] == [count(own, one["measure"], end) for end in ends]


def count(payments: list[Any], measure: str, end: int) -> int:
    """Count a measure of the seven days before `end` from the payments alone."""
    within = [one for one in payments if end - WEEK_MS <= parse_ms(one["occurred_at"]) < end]
    if measure == "amount_7d":
        return sum(one["amount"] for one in within)
    if measure == "count_7d":
        return len(within)
    field = {"new_payees_7d": "payee_id", "new_devices_7d": "device_id"}[measure]
    before = {one[field] for one in payments if parse_ms(one["occurred_at"]) < end - WEEK_MS}
    return len({one[field] for one in within} - before)


def test_who_holds_a_grant_is_looked_at_daily_each_at_a_moment_of_their_own() -> None:
    at_ms = parse_ms("2026-01-01T00:00:00Z")
    far_ms = at_ms + 300 * MS_PER_DAY
    grant = Grant("silver", "e-1", ("ana",), (), at_ms, far_ms, far_ms, far_ms, (far_ms,))
    dossier = measured_from(Dossier(grant=grant), POLICY, at_ms)
    assert dossier.measured_ms == at_ms
    first = [due(f"c-{number}", dossier) or 0 for number in range(2_000)]
    week_ms = at_ms + WEEK_MS
    assert all(week_ms <= moment <= week_ms + MS_PER_DAY for moment in first)
    hours = [sum(moment // 3_600_000 % 24 == hour for moment in first) for hour in range(24)]
    assert min(hours) > 40
    assert measured_from(Dossier(grant=grant), replace(POLICY, profile_shift=None), at_ms).measured_ms is None
    assert measured_from(Dossier(), POLICY, at_ms).measured_ms is None


def test_an_approval_that_is_the_first_look_itself_is_not_refused_by_what_it_has_seen() -> None:
    unseen = [line for line in GIVEN if b'"clock"' not in line and b'"e-3"' not in line]
    entries = [
        (line["value"]["what"], line["value"]["result"], line["value"].get("event_id"))
        for line in map(json.loads, (write_line(message) for message in replay(unseen, POLICY)))
        if line["topic"] == "audit" and line["value"]["subject"] == "c-1"
    ]
    assert entries == [
        ("admission.approved", "applied", "e-1"),
        ("trust.lowered", "applied", "e-1"),
        ("admission.approved", "applied", "e-4"),
        ("trust.restored", "applied", "e-4"),
    ]
