"""What people read of a customer's life: lines that can be read out, and whom a suspension concerns."""

import json
from pathlib import Path

from msgspec.json import decode

from console.status import application, standing
from console.suspend import meets, newest
from pipeline.record import InputRecord
from schemas.application_status import ApplicationStatus
from schemas.entitlement import Entitlement
from schemas.timestamps import parse_ms
from tests.stories.tell import SCENARIOS, told

NOW = "2026-03-04T00:00:00.000Z"


def said(story: str, topic: str) -> list[bytes]:
    return [message.value or b"" for message in told(SCENARIOS / story) if message.topic == topic]


def entitlements(story: str) -> list[Entitlement]:
    return [decode(value, type=Entitlement) for value in said(story, "entitlements")]


def statuses(story: str) -> list[ApplicationStatus]:
    return [decode(value, type=ApplicationStatus) for value in said(story, "application-status")]


def test_nobody_of_whom_nothing_was_said_is_above_base() -> None:
    assert standing("c-1", None, NOW) == ["c-1: nothing was ever granted, so the base tier holds."]
    assert application(None) == []


def test_what_is_in_force_is_said_with_its_end() -> None:
    (granted, *_) = entitlements("temporary-limit")[1:]
    lines = standing("c-1", granted, NOW)
    assert lines[0] == "c-1: tier silver, since 2026-03-01T10:00:00.000Z"
    assert "  limit amount_per_transaction: 400000, until 2026-03-05T00:00:00.000Z" in lines
    assert f"  ended at {granted.grace_until}: the base tier holds" in standing("c-1", granted, "2027-01-01T00:00:00Z")


def test_a_suspension_and_a_freeze_are_said() -> None:
    assert "  the tier is suspended: the base tier holds" in standing("c-1", entitlements("suspended-at-once")[1], NOW)
    assert any("frozen" in line for line in standing("c-1", entitlements("frozen")[0], NOW))


def test_an_application_says_what_is_needed_and_what_the_file_carries() -> None:
    lines = application(statuses("asked-for-more-than-the-file-carries")[2])
    assert lines[0].startswith("application a-1 for gold waits for what is missing")
    assert "  needed: credit (below_criteria), by 2026-03-15T10:00:00.000Z" in lines
    assert "  what is on file carries silver" in lines


def test_nothing_that_a_suspect_is_told_speaks_of_lists_or_alerts() -> None:
    for story in ("listed-applicant", "listed-customer", "wrong-person-answers"):
        heard = said(story, "application-status") + said(story, "notifications")
        for secret in (b"screening", b"hit", b"sanction", b"stopped", b"mismatch", b"quiet", b"suspend"):
            assert not any(secret in value for value in heard), (story, secret)


def test_a_customer_who_answers_is_told_nothing_of_what_follows() -> None:
    for story in ("customer-denied", "customer-confirmed", "labels-mature"):
        assert said(story, "application-status") + said(story, "notifications") == []


def test_whoever_a_list_names_is_told_what_everybody_is_told_and_no_reason() -> None:
    suspect = [status.step for status in statuses("listed-applicant")]
    assert suspect == ["supplements_needed", "being_assessed", "call_back_due", "declined"]
    assert statuses("listed-applicant")[-1].reason_code == ""


def test_a_suspension_concerns_whom_it_names_or_who_meets_all_criteria() -> None:
    (silver,) = entitlements("raised-on-paper")[:1]
    since_ms = parse_ms("2026-03-01T10:00:00Z")
    assert meets(silver, frozenset({"c-1"}), "", None)
    assert not meets(silver, frozenset({"c-2"}), "", None)
    assert meets(silver, frozenset(), "silver", since_ms)
    assert not meets(silver, frozenset(), "gold", since_ms)
    assert not meets(silver, frozenset(), "silver", since_ms + 1)
    base, suspended = entitlements("expiry")[-1], entitlements("suspended-at-once")[1]
    assert not meets(base, frozenset({"c-1"}), "", None)
    assert not meets(suspended, frozenset({"c-1"}), "", None)


def test_the_newest_entitlement_of_a_customer_counts() -> None:
    values = said("raised-on-paper", "entitlements")
    records = [InputRecord("entitlements", 0, at, 0, b"c-1", value) for at, value in enumerate(values)]
    assert dict(newest([*records, InputRecord("entitlements", 0, 9, 0, b"c-2", None)]))["c-1"].tier == "gold"


def test_a_story_of_the_whole_life_is_told() -> None:
    story = Path(SCENARIOS / "life-from-application-to-removal" / "then.jsonl").read_text().splitlines()
    what = [line["value"]["what"] for line in map(json.loads, story) if line["topic"] == "audit"]
    assert what[0] == "contact.changed"
    assert what[-1] == "tier.removed"
