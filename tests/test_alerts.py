"""Alerts: Prometheus takes them, each is tested to fire, to be quiet and to resolve, and each has its runbook."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.metrics import PAGER, REGISTER
from dashboards import slo
from pipeline.cases.notice import CASE_NAME, SUMMARY_NAME
from tests.promql import PROMETHEUS, RULE_FILES, alerts, recorded, rules, selectors

RUNBOOKS = PROMETHEUS.parent / "runbooks"
TEST_FILES = [file.with_name(f"{file.stem}_test.yml") for file in RULE_FILES]
# It fires for ever, so that its absence can be an alarm.
WATCHDOG = "Watchdog"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]


def promtool_says(promtool: str, *arguments: str, folder: Path = PROMETHEUS) -> str:
    done = subprocess.run([promtool, *arguments], check=False, cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_its_configuration_with_all_rules(promtool: str) -> None:
    found = {file for file in (PROMETHEUS / "rules").glob("*.yml") if not file.stem.endswith("_test")}
    assert set(RULE_FILES) == found
    promtool_says(promtool, "check", "config", "prometheus.yml")


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_the_rules_do_what_their_tests_say(file: Path, promtool: str) -> None:
    promtool_says(promtool, "test", "rules", file.name, folder=file.parent)


def timelines() -> dict[str, list[list[bool]]]:
    """Return for each alert and each story that asks about it whether it fires, in the order of time."""
    found: dict[str, list[list[bool]]] = {}
    for file in TEST_FILES:
        for story in yaml.safe_load(file.read_text())["tests"]:
            asked: dict[str, list[tuple[float, bool]]] = {}
            for each in story["alert_rule_test"]:
                asked.setdefault(each["alertname"], []).append((seconds(each["eval_time"]), bool(each["exp_alerts"])))
            for alert, answers in asked.items():
                found.setdefault(alert, []).append([fires for _, fires in sorted(answers)])
    return found


def seconds(text: str) -> float:
    return sum(int(count) * {"s": 1, "m": 60, "h": 3600}[unit] for count, unit in re.findall(r"(\d+)([smh])", text))


def test_each_alert_is_seen_quiet_firing_and_resolved_in_one_story() -> None:
    told = timelines()
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names)) >= 12
    assert told.keys() == set(names)
    assert {name for name in names if [False, True, False] not in told[name]} == {WATCHDOG}


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    names = {alert["alert"] for alert in alerts()} | {CASE_NAME, SUMMARY_NAME}
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == names
    for name in names:
        text = (RUNBOOKS / f"{name}.md").read_text()
        assert text.startswith(f"# {name}\n")
        sections = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)[1:]
        assert sections[::2] == HEADINGS, name
        assert all(section.strip() for section in sections[1::2]), name


def test_each_alert_says_what_is_needed_at_three_in_the_morning() -> None:
    for alert in alerts():
        assert alert["labels"]["severity"] in {"page", "ticket", "none"}, alert["alert"]
        assert alert["annotations"].keys() == {"summary", "description", "runbook", "board"}
        assert alert["annotations"]["runbook"] == f"dashboards/runbooks/{alert['alert']}.md"


def known_series() -> set[str]:
    """Return the names under which workers' and pagers' metrics are stored."""
    suffixes = {"histogram": ("_bucket", "_sum", "_count")}
    names = [(each.kind, each.full_name) for each in REGISTER]
    names += [(each.kind, each.full_name.replace("_", "_pager_", 1)) for each in PAGER]
    return {name + suffix for kind, name in names for suffix in suffixes.get(kind, ("",))}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    ours = known_series() | recorded()
    asked = {name for name, _ in selectors(rule["expr"]) if "tierwatch" in name}
    assert asked - ours == set()


def test_the_objectives_are_current() -> None:
    assert slo.rules() == slo.RULES.read_text(), "run `python -m dashboards.slo`"
    assert slo.page() == slo.PAGE.read_text(), "run `python -m dashboards.slo`"


def test_a_page_that_is_not_current_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["slo", "--check"])
    monkeypatch.setattr(slo, "PAGE", tmp_path / "slo.md")
    (tmp_path / "slo.md").write_text("yesterday's")
    assert slo.main() == 1
