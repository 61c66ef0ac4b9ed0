"""Two policies compared: nothing can change unseen, and what is said can be read by a person."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.exit_codes import Exit
from pipeline.policy.diff import Change, diff, tightened, touched_tiers
from pipeline.policy.fields import RULE_PARAMETERS
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.model import Policy
from schemas.entitlement import Entitlement
from tests.test_console import tierwatch

SMALL = (Path(__file__).parent / "policies" / "small.yaml").read_text()
OLD = load_policy(SMALL.encode())


def changed(*swaps: tuple[str, str]) -> Policy:
    text = SMALL
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    return load_policy(text.encode())


def words(new: Policy, old: Policy = OLD) -> list[str]:
    return [str(change) for change in diff(old, new)]


@pytest.mark.parametrize(
    "old,new,said,effect",
    [
        ("amount_day: 3000\n", "amount_day: 4000.50\n", "gold: amount_day 3,000.00 -> 4,000.50 USD", "loosened"),
        ("amount_day: 3000\n", "amount_day: 2999.99\n", "gold: amount_day 3,000.00 -> 2,999.99 USD", "tightened"),
        ("count_1h: 50\n", "count_1h: 60\n", "gold: count_1h 50 -> 60", "loosened"),
        ("fee_bps: 50", "fee_bps: 40", "gold: fee_bps 50 -> 40", "changed"),
        ("standard", "strong", "gold: authentication standard -> strong", "tightened"),
        ("standard", "reduced", "gold: authentication standard -> reduced", "loosened"),
        ("priority: true", "priority: false", "gold: priority true -> false", "tightened"),
        ("every: 90d", "every: 60d", "gold: review.every 90d -> 60d", "tightened"),
        ("remind: [-5d,", "remind: [-6d,", "gold: review.remind [-5d, 0s, 5d] -> [-6d, 0s, 5d]", "changed"),
        ("approvals: 2", "approvals: 1", "gold: approvals 2 -> 1", "loosened"),
        ("points: 95", "points: 96", "rule account_frozen: points 95 -> 96", "changed"),
        ("mode: shadow", "mode: live", "rule night_amount: mode shadow -> live", "changed"),
        ("night_from: 23:00", "night_from: 22:15", "rule night_amount: night_from 23:00 -> 22:15", "changed"),
        ("types: [withdrawal, other]", "types: [other]", "rule night_amount: types [withdrawal, other] -> [other]",
         "changed"),
        ("skew: 5m", "skew: 90s", "policy: skew 5m -> 90s", "changed"),
        ("roles: [risk, desk]", "roles: [risk]", "person ana: roles [risk, desk] -> [risk]", "changed"),
        ("account_action: hold", "account_action: freeze", "outcome hold: account_action hold -> freeze", "changed"),
        (", account_action: hold", "", "outcome hold: account_action hold -> none", "changed"),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words(old: str, new: str, said: str, effect: str) -> None:
    (change,) = diff(OLD, changed((old, new)))
    assert (str(change), change.effect) == (said, effect)


def test_who_joins_and_who_leaves_is_told() -> None:
    said = words(changed(("name: ben\n", "name: bob\n")))
    assert said[0] == "policy: people ana, ben -> ana, bob"
    assert "person bob: roles none -> [risk]" in said
    assert said[-1] == "person ben: removed"


def test_a_tier_that_is_gone_is_one_line_and_tightens() -> None:
    start = SMALL.index("  - name: gold\n")
    new = load_policy((SMALL[:start] + SMALL[SMALL.index("rules:\n") :]).encode())
    assert words(new) == ["policy: tiers base, gold -> base", "gold: removed"]
    assert list(tightened(OLD, new)) == ["gold"]
    assert touched_tiers(diff(OLD, new), OLD, new) == ("gold",)
    back = diff(new, OLD)
    assert str(back[0]) == "policy: tiers base -> base, gold"
    assert "gold: amount_day none -> 3,000.00 USD" in map(str, back)
    assert tightened(new, OLD) == {}


def test_who_is_touched_depends_on_what_changes() -> None:
    def touched(*swaps: tuple[str, str]) -> tuple[str, ...]:
        new = changed(*swaps)
        return touched_tiers(diff(OLD, new), OLD, new)

    assert touched(("amount_day: 3000\n", "amount_day: 4000\n")) == ("gold",)
    assert touched(("points: 95", "points: 96")) == ("base", "gold")
    assert touched(("version: 1", "version: 2"), ("roles: [risk, desk]", "roles: [risk]")) == ()


def _nodes(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _nodes(inner, (*path, name))]
    if isinstance(value, list):
        return [found for at, inner in enumerate(value) for found in _nodes(inner, (*path, at))] or [path]
    return [path]


DEFAULT = load_policy(default_yaml())
PLAIN: dict[str, Any] = msgspec.to_builtins(OLD, builtin_types=(bytes,))
_PARAMETERS = {name + field.shape.unit for fields in RULE_PARAMETERS.values() for name, field in fields.items()}
_PARAMETERS.remove("types")  # which some rules only have other ones of


def _is_written(path: tuple[Any, ...]) -> bool:
    """Whether it stands in the file: not what is derived, nor a parameter that only other rules have."""
    if path[0] == "rules":
        own = {name + field.shape.unit for name, field in RULE_PARAMETERS.get(path[1], {}).items()}
        return path[2] != "name" and (path[2] not in _PARAMETERS or path[2] in own)
    return path != ("digest",) and path[-1] != "rank"


LEAVES = [path for path in _nodes(PLAIN) if _is_written(path)]


def _altered(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 60_000  # a whole number of each unit that is shown
        case str():
            return {"live": "off", "strong": "reduced", "high": "low", "review": "hold", "hold": "review",
                    "USD": "EUR", "withdrawal": "fee", "purchase": "fee"}.get(value, f"{value}x")  # fmt: skip
        case bytes():
            return bytes(reversed(value))
        case _:
            return ["x"] if value in ([], ()) else 1


@given(st.sampled_from(LEAVES))
def test_no_field_changes_unseen(path: tuple[Any, ...]) -> None:
    """Whatever leaf of the model is altered, the comparison tells it, in both directions."""
    plain = msgspec.to_builtins(OLD, builtin_types=(bytes,))
    inner = plain
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = _altered(inner[path[-1]])
    try:
        new = msgspec.convert(plain, Policy, builtin_types=(bytes,))
    except msgspec.ValidationError:
        return  # a choice that has no such value
    assert diff(OLD, new), path
    assert diff(new, OLD), path


def test_the_same_policy_has_no_differences() -> None:
    assert diff(OLD, OLD) == ()
    assert tightened(DEFAULT, DEFAULT) == {}
    assert diff(DEFAULT, load_policy(default_yaml() + b"# a comment\n")) == ()


def test_each_direction_is_the_other_ones_opposite() -> None:
    opposite = {"tightened": "loosened", "loosened": "tightened", "changed": "changed"}

    def effects(old: Policy, new: Policy) -> dict[tuple[str, str], str]:
        return {(change.subject, change.field): change.effect for change in diff(old, new)}

    new = changed(
        ("amount_day: 3000\n", "amount_day: 2500\n"), ("every: 90d", "every: 91d"), ("points: 95", "points: 9")
    )
    assert effects(new, OLD) == {at: opposite[effect] for at, effect in effects(OLD, new).items()}
    assert isinstance(diff(OLD, new)[0], Change)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    old, new, entitlements = tmp_path / "old.yaml", tmp_path / "new.yaml", tmp_path / "entitlements.jsonl"
    old.write_text(SMALL)
    new.write_text(SMALL.replace("version: 1", "version: 2").replace("amount_day: 3000\n", "amount_day: 4000\n"))
    at = "2026-01-01T00:00:00.000Z"
    lines = [
        msgspec.json.encode(
            Entitlement(
                customer_id=customer, as_of=at, tier=tier, limits={}, fee_bps=0, authentication="strong",
                lane="standard", service_channel="x", frozen=False, base_currency="USD", policy_version=1,
                policy_hash="",
            )
        )
        for customer, tier in [("a", "gold"), ("b", "gold"), ("c", "base"), ("a", "base")]
    ]  # fmt: skip
    entitlements.write_bytes(b"\n".join(lines) + b"\n")
    return old, new, entitlements


def test_the_command_says_it_and_counts_customers_by_their_last_entitlement(files: tuple[Path, Path, Path]) -> None:
    old, new, entitlements = files
    done = tierwatch("policy", "diff", old, new, "--touches", entitlements)
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert done.stdout.splitlines() == [
        "policy: version 1 -> 2",
        "gold: amount_day 3,000.00 -> 4,000.00 USD",
        "touches 1 customer: gold 1",
    ]
    said = json.loads(tierwatch("policy", "diff", old, new, "--json", "--touches", entitlements).stdout)
    assert said["customers_touched"] == {"gold": 1}
    assert said["changes"][1]["effect"] == "loosened"
    assert (said["tiers_touched"], said["tiers_tightened"]) == (["gold"], [])


def test_the_command_names_what_it_cannot_read(files: tuple[Path, Path, Path]) -> None:
    old, new, entitlements = files
    entitlements.write_text('{"customer_id": "a"}\n')
    done = tierwatch("policy", "diff", old, new, "--touches", entitlements)
    assert done.returncode == Exit.BAD_INPUT
    assert f"{entitlements}:1: not an entitlement" in done.stderr
    assert tierwatch("policy", "diff", old, "nowhere").returncode == Exit.BAD_INPUT
    assert tierwatch("policy", "diff", old, new, "--touches", "kafka", TIERWATCH_BROKER="localhost:1").returncode == (
        Exit.NO_BROKER
    )
