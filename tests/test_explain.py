"""`tierwatch explain`: alerts are counted again from themselves and from the log, and a forged one is found out."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.exit_codes import Exit
from pipeline.explain import differing, recount, score_in_words
from pipeline.policy.load import default_yaml, load_policy
from schemas.decision import Alert
from tests.command import tierwatch
from tests.stories.tell import SCENARIOS, stories

DEFAULT = load_policy(default_yaml())
STORY = SCENARIOS / "limit-broken"


def alerts(story: Path) -> list[dict[str, Any]]:
    lines = map(json.loads, (story / "then.jsonl").read_text().splitlines())
    return [line for line in lines if line["topic"] == "alerts"]


def alert_of(line: dict[str, Any]) -> Alert:
    return msgspec.convert(line["value"], Alert)


def explain(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    policy = STORY / "policy.yaml"
    done = tierwatch("explain", "--json", "--policy", policy, *arguments)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def test_every_alert_of_every_story_agrees_with_what_stands_on_it() -> None:
    counted = 0
    for story in stories():
        own = story / "policy.yaml"
        policy = load_policy(own.read_bytes()) if own.exists() else DEFAULT
        for line in alerts(story):
            alert = alert_of(line)
            checks = recount(alert, policy if policy.digest == alert.policy_hash else None)
            assert [check for check in checks if not check.agrees] == [], story.name
            assert score_in_words(alert).startswith(f"score {alert.score}")
            counted += len(checks)
    assert counted > 200


@pytest.mark.parametrize(
    "changed, what",
    [
        ({"customer_id": "c-2"}, "decision id"),
        ({"alert_id": "0" * 32}, "alert id"),
        ({"score": 99}, "score"),
        ({"outcome": "hold"}, "outcome"),
        ({"reasons": ["Nothing happened."]}, "reasons"),
    ],
)
def test_a_forged_alert_does_not_agree_with_itself(changed: dict[str, Any], what: str) -> None:
    forged = {**alerts(STORY)[0]["value"], **changed}
    found = recount(msgspec.convert(forged, Alert), load_policy((STORY / "policy.yaml").read_bytes()))
    assert what in [check.what for check in found if not check.agrees]


def test_an_observation_that_its_evidence_does_not_add_up_to_is_found_out() -> None:
    forged = json.loads(json.dumps(alerts(STORY)[0]["value"]))
    forged["signals"][0]["evidence"]["sum_minor"] += 1
    found = recount(msgspec.convert(forged, Alert), None)
    assert [check.what.split(": ")[1] for check in found if not check.agrees] == ["sum of the evidence"]


def test_the_log_makes_the_very_same_alert(tmp_path: Path) -> None:
    line = alerts(STORY)[0]
    alert = tmp_path / "alert.jsonl"
    alert.write_text(json.dumps(line))
    code, told = explain(line["value"]["alert_id"], STORY / "given.jsonl", alert)
    assert (code, told["agrees"], told["policy"]) == (Exit.OK, True, True)
    assert told["log"] == {"lasts": True, "why_not": "", "differences": []}


def test_a_log_that_makes_another_alert_is_told_apart(tmp_path: Path) -> None:
    line = alerts(STORY)[0]
    line["value"]["state_digest"] = "0" * 32
    alert = tmp_path / "alert.jsonl"
    alert.write_text(json.dumps(line))
    code, told = explain(line["value"]["alert_id"], STORY / "given.jsonl", alert)
    assert (code, told["agrees"]) == (Exit.MISMATCH, False)
    assert [each.split(":")[0] for each in told["log"]["differences"]] == ["$.state_digest"]


def test_an_alert_without_its_log_is_counted_from_itself(tmp_path: Path) -> None:
    alert = tmp_path / "alert.jsonl"
    alert.write_text(json.dumps(alerts(STORY)[0]))
    code, told = explain(alerts(STORY)[0]["value"]["alert_id"], alert)
    assert (code, told["agrees"], told["log"]["lasts"]) == (Exit.OK, True, False)


def test_an_alert_that_is_not_there_is_named() -> None:
    done = tierwatch("explain", "f" * 32, STORY / "given.jsonl")
    assert done.returncode == Exit.BAD_INPUT
    assert b"there is no alert" in done.stderr


def test_differences_are_named_by_their_place() -> None:
    assert list(differing({"a": [1, 2], "b": 3}, {"a": [1, 4], "b": 3})) == ["$.a[1]: 2, run again 4"]
