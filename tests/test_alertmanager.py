"""Alertmanager's committed configuration: who hears of what, what is silenced by what, asked of the real program."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from load_tests.services.alertmanager import Alertmanager, impatient
from load_tests.services.receiver import Receiver, receiver
from load_tests.services.run import Run
from load_tests.services.wait import until
from pipeline.cases.notice import CASE_NAME
from tests.promql import alerts

FILE = Path(__file__).parents[1] / "dashboards" / "alertmanager" / "alertmanager.yml"
CONFIG: dict[str, Any] = yaml.safe_load(FILE.read_text())


def test_alertmanager_takes_its_configuration(amtool: str) -> None:
    subprocess.run([amtool, "check-config", str(FILE)], check=True, capture_output=True)


@pytest.mark.parametrize(
    "labels, hears",
    [
        ("alertname=TierwatchStuck severity=page", "page"),
        ("alertname=TierwatchSlow severity=ticket", "ticket"),
        ("alertname=Watchdog severity=none", "dead-man"),
        ("alertname=TierwatchCase case=case-1 severity=page", "security-page"),
        ("alertname=TierwatchCase case=case-1 severity=ticket", "security-ticket"),
        ("alertname=TierwatchCases case=many@2026 severity=page", "security-page"),
        ("alertname=TierwatchReceiverSilent receiver=pagerduty severity=page", "page"),
        ("alertname=SomebodyElses", "ticket"),
    ],
)
def test_who_hears_of_what(labels: str, hears: str, amtool: str) -> None:
    asked = [amtool, "config", "routes", "test", f"--config.file={FILE}", *labels.split()]
    assert subprocess.run(asked, check=True, text=True, capture_output=True).stdout.strip() == hears


def test_what_silences_and_is_silenced_exists() -> None:
    names = {alert["alert"] for alert in alerts()} | {CASE_NAME}
    assert CONFIG["inhibit_rules"]
    for rule in CONFIG["inhibit_rules"]:
        (source, *_) = rule["source_matchers"]
        assert re.fullmatch('alertname="(.*)"', source)[1] in names  # type: ignore[index]
        (target, *_) = rule["target_matchers"]
        listed = re.search(r"(\w+)\((.*)\)", target)
        assert listed is None or {listed[1] + each for each in listed[2].split("|")} <= names


@pytest.fixture(scope="module")
def told() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def manager(alertmanager: str, run: Run, told: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Alertmanager:
    """The committed routes and inhibitions, but impatient, and with receivers that we hear."""
    config = impatient(CONFIG, told.address)
    return Alertmanager(alertmanager, run, tmp_path_factory.mktemp("alertmanager"), config)


def alert(name: str, severity: str, **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, "severity": severity, **labels}}


def test_an_outage_pages_once_and_cases_still_come_through(manager: Alertmanager, told: Receiver) -> None:
    manager.tell(
        alert("TierwatchBrokerAway", "page"),
        alert("TierwatchStuck", "page"),
        alert("TierwatchLagGrows", "ticket"),
        alert("TierwatchBudgetBurnsFast", "page", slo="timely"),
        alert("Watchdog", "none"),
        *(alert("TierwatchCase", "page", case="case-1", customer=str(number)) for number in range(50)),
        alert("TierwatchCase", "page", case="case-2"),
    )
    until(lambda: len(told.at("/security-page")) >= 2 and told.at("/page") and told.at("/dead-man"), "three receivers")
    assert [names(body) for body in told.at("/page")] == [{"TierwatchBrokerAway"}]
    cases = {body["groupLabels"]["case"]: len(body["alerts"]) for body in told.at("/security-page")}
    assert cases == {"case-1": 50, "case-2": 1}
    assert {names(body).pop() for body in told.at("/dead-man")} == {"Watchdog"}
    assert told.at("/ticket") == []
    silenced = {each["labels"]["alertname"] for each in manager.alerts() if each["status"]["state"] == "suppressed"}
    assert silenced == {"TierwatchStuck", "TierwatchLagGrows", "TierwatchBudgetBurnsFast"}


def test_without_a_worker_it_is_still_told_that_nobody_can_be_told(manager: Alertmanager, told: Receiver) -> None:
    loud = ["PagerGone", "ReceiverSilent", "ReceiverRefuses", "NotificationsFail", "RulesFail", "InputsExpired"]
    manager.tell(alert("TierwatchNoWorker", "page"))
    until(lambda: any("TierwatchNoWorker" in names(body) for body in told.at("/page")), "the page")
    manager.tell(alert("TierwatchTierOffItsPast", "page"), *(alert(f"Tierwatch{each}", "page") for each in loud))
    until(
        lambda: {each for body in told.at("/page") for each in names(body)} >= {f"Tierwatch{each}" for each in loud},
        "what is no symptom to be told",
    )
    states = {each["labels"]["alertname"]: each["status"]["state"] for each in manager.alerts()}
    assert (states["TierwatchTierOffItsPast"], states["TierwatchPagerGone"]) == ("suppressed", "active")


def test_what_is_over_is_told_as_over(manager: Alertmanager, told: Receiver) -> None:
    manager.tell(alert("TierwatchPolicySkew", "page"))
    until(lambda: any(names(body) == {"TierwatchPolicySkew"} for body in told.at("/page")), "the page")
    manager.tell(alert("TierwatchPolicySkew", "page") | {"endsAt": "2026-01-01T00:00:00Z"})
    skews = until(
        lambda: [body for body in told.at("/page") if body["status"] == "resolved"], "the end of it to be told"
    )
    assert names(skews[0]) == {"TierwatchPolicySkew"}


def names(body: dict[str, Any]) -> set[str]:
    return {each["labels"]["alertname"] for each in body["alerts"]}
