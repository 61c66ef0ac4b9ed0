"""The ten faults of docs/incidents.md: what they declare exists, and the hurry changes nothing but durations."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from load_tests.incidents import hurried, page
from load_tests.incidents.faults import FAULTS, Fault
from load_tests.incidents.run import Incident
from tests.boards import BOARDS, panels
from tests.promql import PROMETHEUS, alerts

EACH_FAULT = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.alert)
TEN = 10


@EACH_FAULT
def test_its_alert_and_its_panel_exist(fault: Fault) -> None:
    assert [each["alert"] for each in alerts()].count(fault.alert) == 1
    assert [each["title"] for each in panels(BOARDS[fault.board])].count(fault.panel) == 1


def test_each_is_another_fault_with_another_alert() -> None:
    assert len({fault.name for fault in FAULTS}) == len({fault.alert for fault in FAULTS}) == len(FAULTS) == TEN


def test_a_query_in_a_hurry_has_shorter_ranges_and_the_same_numbers() -> None:
    asked = 'sum by (source) (increase(a_5m{le="10m"}[1h] offset 10m)) / 6 > 30 and b:ratio_rate5m > 10'
    hurrying = 'sum by (source) (increase(a_5m{le="10m"}[180000ms] offset 30000ms)) / 6 > 30 and b:ratio_rate5m > 10'
    assert hurried.query(asked, 20) == hurrying


def test_rules_in_a_hurry_are_the_committed_ones_with_every_wait_shorter(promtool: str, tmp_path: Path) -> None:
    hurried.rules(PROMETHEUS / "rules", tmp_path / "rules", 20)
    subprocess.run([promtool, "check", "rules", *(tmp_path / "rules").glob("*.yml")], check=True, capture_output=True)
    for file in (tmp_path / "rules").glob("*.yml"):
        committed = yaml.safe_load((PROMETHEUS / "rules" / file.name).read_text())["groups"]
        for before, after in zip(committed, yaml.safe_load(file.read_text())["groups"], strict=True):
            for old, new in zip(before["rules"], after["rules"], strict=True):
                assert without_durations(old) == without_durations(new)
                if "for" in old:
                    assert float(new["for"].removesuffix("ms")) == hurried.seconds(old["for"]) * 50


def without_durations(rule: dict[str, object]) -> dict[str, object]:
    query = re.sub(r"\[\w+\]|offset \w+", "", str(rule["expr"]))
    return {**rule, "expr": query, "for": "for" in rule}


def test_a_run_writes_the_rows_of_its_own_faults_and_leaves_all_others_and_all_words(tmp_path: Path) -> None:
    written = tmp_path / "incidents.md"
    written.write_text("before\n<!-- incidents -->\nold\n<!-- /incidents -->\nafter\n")
    first, second = (fault.name for fault in FAULTS[:2])
    page.write([told(second, heard_s=7.5)], written)
    page.write([told(first, heard_s=3.5)], written)
    page.write([told(second, heard_s=4.2)], written)
    text = written.read_text()
    assert "old" not in text
    assert (text.startswith("before\n"), text.endswith("after\n")) == (True, True)
    leads = "[TierwatchX](../dashboards/runbooks/TierwatchX.md)"
    rest = "15 | 1 | now: X | at least 1,000 | nothing | 12,345 | nothing |"
    assert [line for line in text.splitlines() if line.startswith("| **")] == [
        f"| **{first}**: it breaks | {leads} | page | 90 | 9.5 | 3.5 | {rest}",
        f"| **{second}**: it breaks | {leads} | page | 90 | 9.5 | 4.2 | {rest}",
    ]


def told(fault: str, heard_s: float) -> Incident:
    return Incident(
        fault=fault,
        how="it breaks",
        alert="TierwatchX",
        receiver="page",
        promised_s=90,
        allowed_s=9.5,
        heard_s=heard_s,
        over_s=15,
        panel="now: X",
        passes="at least 1,000",
        before=None,
        shown=12_345,
        besides=[],
    )


def test_the_page_tells_of_all_ten_and_each_was_heard_in_time() -> None:
    rows = [line.strip("| ").split(" | ") for line in page.PAGE.read_text().splitlines() if line.startswith("| **")]
    assert [(row[0].partition("**: ")[0].strip("*"), row[1].partition("]")[0][1:]) for row in rows] == [
        (fault.name, fault.alert) for fault in FAULTS
    ]
    assert all(float(heard) <= float(allowed) for _, _, _, _, allowed, heard, *_ in rows)
