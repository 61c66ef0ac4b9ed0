"""Stories: what arrives and what must come of it, as data. `tests/stories/README.md` says how to write one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.record_lines import write_line
from console.replay import replay
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from tests.stories.sign import signed

SCENARIOS = Path(__file__).parent / "scenarios"
STORIES = sorted(path.parent for path in SCENARIOS.glob("*/given.jsonl"))


def policy_of(story: Path) -> Policy:
    return load_policy((story / "policy.yaml").read_bytes())


def outputs(story: Path) -> Iterator[dict[str, Any]]:
    for message in replay((story / "given.jsonl").read_bytes().splitlines(), policy_of(story)):
        yield json.loads(write_line(message))


def holds(expected: Any, actual: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether the actual value says at least what is expected: further members of objects are free."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(name in actual and holds(value, actual[name]) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(holds, expected, actual))
    return type(expected) is type(actual) and bool(expected == actual)


def test_every_folder_is_a_story_and_nothing_else_is_there() -> None:
    assert sorted(SCENARIOS.iterdir()) == STORIES
    assert len(STORIES) > 10


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_story_comes_true(story: Path) -> None:
    expected = [json.loads(line) for line in (story / "then.jsonl").read_text().splitlines()]
    topics = {line["topic"] for line in expected}
    actual = [line for line in outputs(story) if line["topic"] in topics]
    told = "\n".join(json.dumps(line, ensure_ascii=False) for line in actual)
    for topic in sorted(topics):
        wanted = [line for line in expected if line["topic"] == topic]
        found = [line for line in actual if line["topic"] == topic]
        for number, (want, have) in enumerate(zip(wanted, found, strict=False), start=1):
            assert holds(want, have), f"message {number} of {topic}\nexpected at least {want}\nfound {have}"
        assert len(found) == len(wanted), f"{len(found)} on {topic} instead of {len(wanted)}; what came:\n{told}"


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_story_is_told_in_full(story: Path) -> None:
    files = {path.name for path in story.iterdir()}
    assert files == {"given.jsonl", "then.jsonl", "policy.yaml", "README.md"}
    assert len((story / "README.md").read_text().splitlines()) <= 3
    assert (story / "then.jsonl").read_text().strip()


# A story of forgery signs by itself.
HONEST = [story for story in STORIES if "forged" not in story.name]


@pytest.mark.parametrize("story", HONEST, ids=lambda path: path.name)
def test_signatures_of_a_story_are_those_of_its_people(story: Path) -> None:
    for line in (story / "given.jsonl").read_bytes().splitlines():
        assert b'"signature"' not in line or json.loads(signed(line)) == json.loads(line)


def test_expectation_that_is_not_met_is_noticed() -> None:
    assert holds({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x", "c": 0}], "d": 1})
    assert not holds({"a": [1]}, {"a": [1, 2]})
    assert not holds({"a": 1}, {"b": 1})
    assert not holds({"a": True}, {"a": 1})
    assert not holds({"a": {"b": None}}, {"a": {}})
