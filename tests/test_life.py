"""The table of a customer's life: every row of it is told by a story, and no story comes true without its rows."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.life_page import PAGE, page
from console.record_lines import write_line
from console.replay import replay
from pipeline.policy.load import load_policy
from pipeline.policy.model import RULES
from pipeline.whitelist import table
from pipeline.whitelist.table import STATES
from tests.stories.tell import stories, told

TABLES = ("EVENTS", "AT_ONCE", "ON_TIME")
ROWS = {row.name: name for name in TABLES for row in getattr(table, name)}


def test_every_row_has_a_name_of_its_own_and_states_of_its_region() -> None:
    rows = [row for name in TABLES for row in getattr(table, name)]
    assert len({row.name for row in rows}) == len(rows)
    assert all({*row.sources, *row.to} <= set(STATES[row.region]) for row in rows)


def test_every_state_can_be_reached_and_left() -> None:
    rows = [row for name in TABLES for row in getattr(table, name)]
    for region, states in STATES.items():
        own = [row for row in rows if row.region == region]
        for state in states:
            assert any(state in row.sources for row in own), state
            assert state == states[0] or any(state in row.to for row in own), state


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the rows that are taken from here on."""
    taken: set[str] = set()

    def noting(row: Any) -> Any:  # noqa: ANN401 - a row of any table
        def act(*arguments: object) -> object:
            taken.add(row.name)
            return row.act(*arguments)

        return row._replace(act=act)

    for name in TABLES:
        monkeypatch.setattr(table, name, tuple(map(noting, getattr(table, name))))
    return taken


@pytest.fixture
def taken_by_story(recorded: set[str]) -> dict[Path, frozenset[str]]:
    return _taken(lambda: frozenset(recorded), recorded.clear)


_known: dict[Path, frozenset[str]] = {}


def _taken(read: Callable[[], frozenset[str]], clear: Callable[[], None]) -> dict[Path, frozenset[str]]:
    for story in stories() if not _known else ():
        clear()
        for _ in told(story):
            pass
        _known[story] = read()
    return _known


def test_every_transition_occurs_in_a_story(taken_by_story: dict[Path, frozenset[str]]) -> None:
    assert set(ROWS) - set().union(*taken_by_story.values()) == set()


@cache
def expected(story: Path) -> list[Any]:
    return [json.loads(line) for line in (story / "then.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", ROWS)
def test_a_story_turns_red_without_the_transition(
    name: str, taken_by_story: dict[Path, frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    rows = getattr(table, ROWS[name])
    monkeypatch.setattr(table, ROWS[name], tuple(row for row in rows if row.name != name))
    assert any(come_of(story) != expected(story) for story, taken in taken_by_story.items() if name in taken)


def come_of(story: Path) -> list[Any]:
    return [json.loads(write_line(message)) for message in told(story)]


def fired(story: Path) -> set[str]:
    """Name the rules that matter in a story: at the customer's tier, live."""
    decisions = [line["value"] for line in expected(story) if line["topic"] == "decisions"]
    return {signal["rule"] for decision in decisions for signal in decision.get("signals", ())}


@pytest.mark.parametrize("rule", RULES)
def test_a_story_turns_red_without_the_rule(rule: str) -> None:
    story = next(story for story in stories() if rule in fired(story))
    policy = load_policy((story / "policy.yaml").read_bytes())
    off = replace(policy, rules={**policy.rules, rule: replace(policy.rules[rule], mode="off")})
    lines = (story / "given.jsonl").read_bytes().splitlines()
    assert [json.loads(write_line(message)) for message in replay(lines, off)] != expected(story)


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
