"""The audit's chain: unbroken as published, and broken by whatever anybody does to one entry."""

import json
from pathlib import Path

import pytest

from console.offline import Offline
from pipeline.audit_chain import HEAD_KEY, AuditChain, Head, UnreadableHeadError, read_head, verify, write_head
from pipeline.policy.load import load_policy
from pipeline.record import InputRecord
from schemas.audit import AuditEntry
from tests.stories.tell import SCENARIOS, stories, told


def audit(story: Path) -> list[bytes]:
    return [message.value or b"" for message in told(story) if message.topic == "audit"]


FORGED = audit(SCENARIOS / "forged-approval")


@pytest.mark.parametrize("story", stories(), ids=lambda path: path.name)
def test_the_chain_of_every_story_holds(story: Path) -> None:
    assert verify(audit(story))[1] == []


@pytest.mark.parametrize("place", range(len(FORGED) - 1))
def test_an_entry_that_was_edited_is_found(place: int) -> None:
    edited = FORGED[place].replace(b"refused", b"applied")
    assert edited != FORGED[place]
    _, breaks = verify([*FORGED[:place], edited, *FORGED[place + 1 :]])
    assert [broken.place for broken in breaks] == [place + 2]


def test_an_edit_of_the_last_entry_shows_in_the_head() -> None:
    heads, _ = verify(FORGED)
    edited, breaks = verify([*FORGED[:-1], FORGED[-1].replace(b"refused", b"applied")])
    assert breaks == []
    assert edited[""].digest != heads[""].digest


def test_an_entry_that_was_dropped_or_slipped_in_is_found() -> None:
    assert verify(FORGED[:1] + FORGED[2:])[1][0].what == "entry 3 follows entry 1"
    assert verify([FORGED[0], *FORGED])[1][0].what == "entry 1 follows entry 1"
    assert verify([b"{}"])[1][0].chain == "?"


def test_the_policies_have_a_chain_of_their_own() -> None:
    heads, breaks = verify(audit(SCENARIOS / "new-policy"))
    assert breaks == []
    assert heads["policies"].entries > 1


def entry(name: str) -> AuditEntry:
    return AuditEntry(entry_id=name, subject="c", what="w", actor="a", result="applied", at="2026-01-01T00:00:00.000Z")


def test_a_chain_goes_on_where_its_state_ends() -> None:
    first = AuditChain()
    values = [first.add(entry("1"))[1]]
    stands = first.take_change()
    assert first.take_change() is None
    second = AuditChain(lambda: stands)
    assert second.take_change() is None
    values.append(second.add(entry("2"))[1])
    heads, breaks = verify(values)
    assert breaks == []
    assert heads[""] == read_head(second.take_change())
    assert json.loads(values[1])["sequence"] == 2


def test_the_head_stands_in_the_partitions_state() -> None:
    story = SCENARIOS / "forged-approval"
    pipeline = Offline(load_policy((story / "policy.yaml").read_bytes()))
    lines = [json.loads(line) for line in (story / "given.jsonl").read_bytes().splitlines()]
    records = [
        InputRecord("customer-events", 0, number, 1_768_000_000_000, b"c-1", json.dumps(line["value"]).encode())
        for number, line in enumerate(lines)
    ]
    said = [message.value or b"" for message in pipeline.take(records) if message.topic == "audit"]
    assert read_head(pipeline._dossiers[HEAD_KEY]) == verify(said)[0][""]


@pytest.mark.parametrize("state", [b"", b"\x02" + bytes(41), b"\x01\x00", b"\x01\x01" + bytes(40)])
def test_a_head_that_cannot_be_read_is_named(state: bytes) -> None:
    with pytest.raises(UnreadableHeadError):
        read_head(state)


def test_a_head_round_trips() -> None:
    head = Head(258, "ab" * 32)
    assert read_head(write_head(head)) == head
    assert read_head(None) == Head()
