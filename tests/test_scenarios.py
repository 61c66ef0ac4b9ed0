"""Stories: what arrives and what must come of it, as data. `tests/stories/README.md` says how to write one."""

import json
from itertools import zip_longest
from pathlib import Path

import pytest

from console.record_lines import write_line
from tests.stories.sign import signed
from tests.stories.tell import SCENARIOS, stories, told

STORIES = stories()


def test_every_folder_is_a_story_and_nothing_else_is_there() -> None:
    assert sorted(SCENARIOS.iterdir()) == STORIES
    assert len(STORIES) > 10


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_story_comes_true(story: Path) -> None:
    expected = (story / "then.jsonl").read_text().splitlines()
    actual = [write_line(message).decode() for message in told(story)]
    for number, (want, have) in enumerate(zip_longest(expected, actual, fillvalue="null"), start=1):
        assert json.loads(have) == json.loads(want), f"line {number} of then.jsonl"


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_story_is_told_in_full(story: Path) -> None:
    files = {path.name for path in story.iterdir()}
    assert files == {"given.jsonl", "then.jsonl", "policy.yaml", "README.md"}
    assert len((story / "README.md").read_text().splitlines()) <= 3
    then = (story / "then.jsonl").read_text()
    assert then.strip()
    # Telling a story anew must not make a fault of ours its end.
    assert '"reason":"crashed"' not in then


# A story of forgery signs by itself.
HONEST = [story for story in STORIES if "forged" not in story.name]


@pytest.mark.parametrize("story", HONEST, ids=lambda path: path.name)
def test_signatures_of_a_story_are_those_of_its_people(story: Path) -> None:
    for line in (story / "given.jsonl").read_bytes().splitlines():
        assert b'"signature"' not in line or json.loads(signed(line)) == json.loads(line)
