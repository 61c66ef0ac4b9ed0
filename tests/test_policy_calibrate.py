"""Limits from history: within the budget when the real pipeline judges it again, the same each time, still a policy."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.exit_codes import Exit
from console.replay import replay
from pipeline.policy.calibrate import Seen, alerting, asked_per_day, calibrate, challenging, probe
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.rewrite import with_limits
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms, parse_ms
from tests.test_console import tierwatch

POLICY = load_policy(default_yaml())
START = parse_ms("2026-03-02T00:00:00Z")
DAYS = 4


@pytest.fixture(scope="module")
def history() -> list[bytes]:
    """Four days of thirty households, some of which spend far more than others."""
    rng = Random(7)
    lines = []
    for number in range(900):
        customer = rng.randrange(30)
        lines.append(
            {
                "transaction_id": f"t-{number}",
                "source": "test",
                "customer_id": f"c-{customer}",
                "occurred_at": format_ms(START + number * DAYS * MS_PER_DAY // 900),
                "amount": round(rng.lognormvariate(8 + customer / 10, 1)),
                "currency": "USD",
                "transaction_type": "purchase",
            }
        )
    return [json.dumps({"topic": "transactions", "value": line}).encode() for line in lines]


def alerts_a_day(lines: list[bytes], yaml: bytes) -> float:
    return sum(message.topic == "alerts" for message in replay(lines, load_policy(yaml))) / DAYS


def proposed(folder: Path, lines: list[bytes], budget: float, *more: str) -> tuple[bytes, dict[str, Any]]:
    old, file, out = folder / "old.yaml", folder / "history.jsonl", folder / f"new-{budget}.yaml"
    old.write_bytes(default_yaml())
    file.write_bytes(b"\n".join(lines) + b"\n")
    done = tierwatch(
        "policy", "calibrate", file, "--policy", old, "--alerts-per-day", str(budget), "--out", out, "--json", *more
    )
    assert done.returncode == Exit.OK, done.stderr
    return out.read_bytes(), json.loads(done.stdout)


def test_the_real_pipeline_stays_within_the_budget_and_uses_it(tmp_path: Path, history: list[bytes]) -> None:
    yaml, said = proposed(tmp_path, history, 5)
    new = load_policy(yaml)
    assert new.version == POLICY.version + 1
    assert (said["transactions"], said["per_day"]["alerts"]["budget"]) == (900, 5)
    assert said["per_day"]["alerts"]["proposed"] <= 5
    measured = alerts_a_day(history, yaml)
    assert 1 <= measured <= 5
    assert alerts_a_day(history, default_yaml()) == pytest.approx(said["per_day"]["alerts"]["now"], rel=0.05)
    assert proposed(tmp_path, history, 5) == (yaml, said)
    # Only limits and the version differ, character by character.
    old_lines, new_lines = default_yaml().decode().split("\n"), yaml.decode().split("\n")
    differing = [old for old, line in zip(old_lines, new_lines, strict=True) if old != line]
    assert differing
    assert all(line.startswith(("version:", "      ")) for line in differing)


def test_a_larger_budget_lets_more_be_asked(tmp_path: Path, history: list[bytes]) -> None:
    few, many = (alerts_a_day(history, proposed(tmp_path, history, budget)[0]) for budget in (1, 12))
    assert few < many


def test_challenges_have_a_budget_of_their_own(tmp_path: Path, history: list[bytes]) -> None:
    _, said = proposed(tmp_path, history, 5, "--challenges-per-day", "2")
    assert said["per_day"]["challenges"]["proposed"] <= 2
    assert set(said["limits"]["base"]) <= {*alerting(POLICY), *challenging(POLICY)}


def test_a_csv_is_history_too(tmp_path: Path) -> None:
    rows = ["action,step,amount,nameOrig,nameDest,isUnauthorizedOverdraft,isFraud"]
    rows += [f"DEBIT,{hour},{100 + hour},C{hour % 5},B1,0,0" for hour in range(96)]
    file, entitled = tmp_path / "paysim.csv", tmp_path / "entitlements.jsonl"
    file.write_text("\n".join(rows) + "\n")
    entitled.write_text("")
    done = tierwatch(
        "policy", "calibrate", file, "--format", "paysim", "--alerts-per-day", "1", "--tiers", entitled, "--json"
    )
    assert done.returncode == Exit.OK, done.stderr
    said = json.loads(done.stdout)
    assert (said["transactions"], said["per_day"]["alerts"]["proposed"] <= 1) == (96, True)
    assert said["limits"]["base"]["amount_per_transaction"] <= 200_00


def test_no_history_is_told(tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_text("")
    done = tierwatch("policy", "calibrate", file, "--alerts-per-day", "5")
    assert done.returncode == Exit.BAD_INPUT
    assert "no transaction of the history could be judged" in done.stderr


def test_the_probe_asks_for_nothing_and_tells_all(history: list[bytes]) -> None:
    made = list(replay(history[:50], probe(POLICY)))
    assert {message.topic for message in made} == {"decisions"}
    said = [json.loads(message.value or b"") for message in made]
    assert all(one["outcome"] == "pass" for one in said)
    assert all("amount_1h" in {signal["rule"] for signal in one["signals"]} for one in said)


TIERS = [tier.name for tier in POLICY.tiers]
RULES = alerting(POLICY)
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(TIERS), st.integers(0, 5), st.sampled_from(RULES), st.integers(1, 10**6)
    ),
    min_size=1,
    max_size=25,
)


@given(HISTORIES, st.floats(0, 10))
@settings(max_examples=60, deadline=None)
def test_whatever_the_history_the_limits_are_a_policy_within_the_budget(
    rows: list[tuple[str, str, int, str, int]], budget: float
) -> None:
    at_ms, seen = START, []
    for customer, tier, hours, rule, value in rows:
        at_ms += hours * MS_PER_HOUR
        seen.append(Seen(customer, tier, at_ms, {rule: value}))
    current = {tier.name: dict(tier.limits) for tier in POLICY.tiers}
    limits = calibrate(seen, POLICY, current, RULES, budget, 1.0)
    assert asked_per_day(seen, limits, RULES, POLICY, 1.0) <= budget
    new = load_policy(with_limits(default_yaml(), limits, 2))
    assert {tier.name: dict(tier.limits) for tier in new.tiers} == limits
    assert calibrate(seen, POLICY, current, RULES, budget, 1.0) == limits
