"""Whoever takes a partition over, at whatever moment, goes on where its bytes end: each step of a life is said once."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.offline import Offline
from console.record_lines import Clock, LineReader, write_line
from console.replay import replay
from pipeline.partition import Partition
from pipeline.policy.load import load_policy
from pipeline.record import InputRecord, Message
from schemas.timestamps import MS_PER_DAY
from tests.stories.tell import SCENARIOS, stories

STORIES = stories()
# The notice of a review, its reminders, its grace, and some days in which nothing may follow.
DAYS_AFTER = 120
# Stories of which somebody's grant, application or trust has something ahead.
LIVES = [story for story in STORIES if b'"customer-events"' in (story / "given.jsonl").read_bytes()]


class Owner(Offline):
    """Whoever owns the partition; `pass_on` leaves the next one nothing but the bytes that `changes()` gave."""

    def pass_on(self) -> None:
        self._partition = Partition(0, None, self.books, self.windows.get, self._dossiers.get)
        self._partition.restore(self._dossiers.items())

    def states(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        return self.windows, self._dossiers


def told(story: Path, lines: list[bytes], *, restarts: bool) -> tuple[list[Message], Owner]:
    """What lines make under a story's policy, by one owner, or by a new one after each line."""
    policy = load_policy((story / "policy.yaml").read_bytes())
    owner, reader = Owner(policy), LineReader()
    messages: list[Message] = []
    for line in lines:
        messages += replay([line], policy, reader, owner)
        if restarts:
            owner.pass_on()
    return messages, owner


def given(story: Path) -> list[bytes]:
    return (story / "given.jsonl").read_bytes().splitlines()


def with_each_day(lines: list[bytes]) -> Iterator[bytes]:
    """The lines, a look at the clock on each day between them, and on the days after the last."""
    reader = LineReader()
    now_ms = 0
    for line in lines:
        read = reader.read(line)
        at_ms = read.now_ms if isinstance(read, Clock) else read.timestamp if isinstance(read, InputRecord) else now_ms
        if now_ms:
            yield from looks(now_ms, at_ms)
        now_ms = max(now_ms, at_ms)
        yield line
    yield from looks(now_ms, now_ms + DAYS_AFTER * MS_PER_DAY)


def looks(after_ms: int, until_ms: int) -> Iterator[bytes]:
    for day_ms in range(after_ms + MS_PER_DAY, until_ms, MS_PER_DAY):
        yield b'{"clock": %d}' % day_ms


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.name)
def test_a_story_comes_true_whoever_goes_on_with_it(story: Path) -> None:
    messages, _ = told(story, given(story), restarts=True)
    assert [json.loads(write_line(message)) for message in messages] == [
        json.loads(line) for line in (story / "then.jsonl").read_text().splitlines()
    ]


def test_request_reminders_and_demotion_are_said_once_each_by_another_owner() -> None:
    story = SCENARIOS / "review-overdue"
    messages, _ = told(story, list(with_each_day(given(story))), restarts=True)
    said = [json.loads(message.value or b"") for message in messages if message.topic in {"re-reviews", "audit"}]
    assert [each.get("kind", each.get("what")) for each in said] == [
        "admission.approved", "request", "reminder", "reminder", "reminder", "review.demoted",
    ]  # fmt: skip


@pytest.mark.parametrize("story", LIVES, ids=lambda path: path.name)
def test_a_life_that_is_looked_at_daily_is_the_same_by_whomever(story: Path) -> None:
    lines = list(with_each_day(given(story)))
    messages, owner = told(story, lines, restarts=False)
    again, other = told(story, lines, restarts=True)
    assert again == messages
    assert other.states() == owner.states()
    names = Counter(dict(message.headers)["ce_id"] for message in messages)
    assert [name for name, times in names.items() if times > 1] == []
