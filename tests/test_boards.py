"""Grafana's boards: made from code, laid out without overlaps, in the manner that dashboard-linter asks for."""

import re
from typing import Any

import pytest
import yaml

from agents.metrics import PAGER, REGISTER
from dashboards.grafana.__main__ import files
from tests.boards import BOARDS, GRAFANA, panels
from tests.promql import alerts, recorded, selectors

EACH_BOARD = pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
MATCHERS = 'job=~"$job", instance=~"$instance"'
# What Prometheus itself and Python's client say.
OTHERS = {"ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes"}


def test_the_boards_are_current() -> None:
    written = {path: path.read_text() for path in (GRAFANA / "boards").glob("*.json")}
    assert written == files(), "run `python -m dashboards.grafana`"


def test_alerts_lead_to_boards_that_exist() -> None:
    assert {alert["annotations"]["board"] for alert in alerts()} <= {f"/d/{board['uid']}" for board in BOARDS.values()}


@EACH_BOARD
def test_panels_fill_the_width_and_lie_beside_one_another(board: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells)), "panels lie on one another"
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(places)


@EACH_BOARD
def test_each_panel_says_what_it_shows_in_which_unit(board: dict[str, Any]) -> None:
    for panel in panels(board):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]


@EACH_BOARD
def test_what_can_be_chosen_is_what_the_linter_asks_for(board: dict[str, Any]) -> None:
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "instance"]
    assert variables["datasource"]["query"] == "prometheus"
    provisioned = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())
    assert {source["type"] for source in provisioned["datasources"]} == {"prometheus"}
    for name in ("job", "instance"):
        assert variables[name]["multi"]
        assert variables[name]["allValue"] == ".+"
    assert board["editable"] is False
    assert any(link["tags"] == ["tierwatch"] for link in board["links"])


@EACH_BOARD
def test_queries_ask_what_was_chosen_for_series_that_exist(board: dict[str, Any]) -> None:
    ours = {each.full_name + end for each in REGISTER for end in ("", "_bucket", "_sum", "_count")}
    pagers = {each.full_name.replace("_", "_pager_", 1) + end for each in PAGER for end in ("", "_bucket")}
    for panel in panels(board):
        for target in panel["targets"]:
            query = target["expr"]
            assert panel["datasource"]["uid"] == target["datasource"]["uid"] == "$datasource"
            for name, matchers in selectors(query):
                if name in recorded() | pagers:
                    continue  # rules sum instances up, and pagers are another job
                assert name in ours | OTHERS, query
                assert MATCHERS in matchers, query
            assert set(re.findall(r"rate\([^[]*\[([^]]*)\]", query)) <= {"$__rate_interval"}, query


@EACH_BOARD
def test_the_linter_is_told_of_each_panel_without_matchers_and_of_no_other(board: dict[str, Any]) -> None:
    without = {
        panel["title"]
        for panel in panels(board)
        for target in panel["targets"]
        if any(MATCHERS not in text for text in (target["expr"], *(each for _, each in selectors(target["expr"]))))
    }
    exclusions = yaml.safe_load((GRAFANA / "boards" / ".lint").read_text())["exclusions"]
    for rule in ("target-job-rule", "target-instance-rule"):
        entries = [each for each in exclusions[rule]["entries"] if each["dashboard"] == board["title"]]
        exempt = {each["panel"] for each in entries if "panel" in each}
        assert exempt == without or {"dashboard": board["title"]} in entries, rule
