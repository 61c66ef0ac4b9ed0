"""An existing whitelist is carried over by two people, and everybody on it is said to be screened again."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.exit_codes import Exit
from console.main import app
from console.whitelist_list import COLUMNS
from schemas.timestamps import MS_PER_DAY, format_ms
from tests.kafka.house import await_records, read
from tests.kafka.test_policies import House
from tests.kafka.test_policies import house as house  # noqa: PLC0414 - a fixture
from tests.kafka.test_policy_commands import Officers


@pytest.fixture
def officers(house: House, tmp_path: Path) -> Officers:
    return Officers(house, tmp_path)


def typed(officers: Officers, who: str, *words: str | Path, code: int = Exit.OK) -> Result:
    house = officers.house
    environment = {
        "TIERWATCH_BROKER": house.kafka.bootstrap,
        "TIERWATCH_POLICY": str(house.folder / "policy.yaml"),
        "TIERWATCH_SIGNING_KEY": str(officers.keys[who]),
    }
    done = CliRunner().invoke(app, [str(word) for word in words], env=environment)
    assert done.exit_code == code, done.output
    return done


def test_a_list_is_signed_by_two_published_once_and_everybody_screened_again(officers: Officers) -> None:
    house, (ana, ben, _) = officers.house, officers.names
    issued = format_ms(int(time.time() * 1000) - MS_PER_DAY)
    paper, signed = house.folder / "list.csv", house.folder / "signed.jsonl"
    rows = [f"c-{number},gold,identity,paper-{number},{issued},\n" for number in range(20)]
    paper.write_text(",".join(COLUMNS) + "\n" + "".join(rows))

    refused = json.loads(typed(officers, ana, "whitelist", "admit", "--file", paper, "--json", code=3).stdout)
    assert (refused["refused"], refused["published"]) == (20, 0)
    assert refused["refusals"][0]["reason"].startswith("too_few_approvers")
    assert "signed, in" in typed(officers, ana, "whitelist", "admit", "--file", paper, "--out", signed).stdout
    assert "same_person_twice" in typed(officers, ana, "whitelist", "admit", "--file", signed, code=3).stderr
    dry = typed(officers, ben, "whitelist", "admit", "--file", signed, "--dry-run").stdout
    assert "20 customers would be admitted; nothing was changed." in dry
    assert read(house.kafka.bootstrap, "customer-events") == []

    with house.worker() as worker:
        worker.ready()
        told = json.loads(typed(officers, ben, "whitelist", "admit", "--file", signed, "--json").stdout)
        assert (told["customers"], told["published"], told["refused"]) == (20, 20, 0)
        entitled = await_records(house.kafka.bootstrap, "entitlements", 20)
        assert {json.loads(message.value() or b"")["tier"] for message in entitled} == {"gold"}
        assert "in its turn" in typed(officers, ana, "whitelist", "rescreen", "2026-2").stdout
        assert worker.stop() == 0
    said = [json.loads(message.value() or b"") for message in read(house.kafka.bootstrap, "audit")]
    assert [one["result"] for one in said if one["what"] == "admission.approved"] == ["applied"] * 20
