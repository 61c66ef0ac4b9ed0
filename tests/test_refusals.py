"""What is refused stands on the audit with its reason, and changes nothing: without it, the story ends the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.replay import replay
from pipeline.policy.load import load_policy
from pipeline.record import Message
from tests.stories.tell import stories

# All that anybody acts on. `audit` keeps the refusal, and `application-status` may tell the customer of it.
ACTED_ON = ("decisions", "alerts", "re-reviews", "account-actions", "notifications", "entitlements")
# What a fraudster with one hand inside would try first.
TRIED_FIRST = {"same_person_twice", "bad_signature", "evidence_expired", "attestation_replayed", "unknown_tier"}


def refusals() -> list[tuple[Path, str, str]]:
    """Story, event and reason of each event that is refused in a story."""
    return [
        (story, entry["value"]["event_id"], entry["value"]["reason"])
        for story in stories()
        for entry in map(json.loads, (story / "then.jsonl").read_text().splitlines())
        if entry["topic"] == "audit" and entry["value"]["result"] == "refused" and "event_id" in entry["value"]
    ]


REFUSALS = refusals()


def acted_on(story: Path, given: list[bytes]) -> list[tuple[str, bytes | None, Any]]:
    def values(message: Message) -> tuple[str, bytes | None, Any]:
        return message.topic, message.key, json.loads(message.value or b"null")

    policy = load_policy((story / "policy.yaml").read_bytes())
    return [values(message) for message in replay(given, policy) if message.topic in ACTED_ON]


@pytest.mark.parametrize(
    "story, event_id, reason", REFUSALS, ids=lambda each: each if isinstance(each, str) else each.name
)
def test_what_is_refused_changes_nothing(story: Path, event_id: str, reason: str) -> None:
    assert reason
    given = (story / "given.jsonl").read_bytes().splitlines()
    without = [line for line in given if f'"{event_id}"'.encode() not in line]
    assert len(without) < len(given)
    assert acted_on(story, given) == acted_on(story, without)


def test_stories_tell_of_what_is_tried_first() -> None:
    assert {reason for _, _, reason in REFUSALS} >= TRIED_FIRST
