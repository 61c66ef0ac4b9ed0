"""Alertmanager's committed configuration: who hears of what, what is silenced by what, asked of the real program."""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from confluent_kafka import Producer

from agents.paging import listeners
from agents.paging.listeners import Listeners
from agents.paging.measure import PagerMetrics
from agents.paging.pages import Pages
from agents.paging.receivers import Alertmanager as Receiving
from agents.settings import Settings
from load_tests.services.alertmanager import Alertmanager, impatient
from load_tests.services.receiver import Receiver, receiver
from load_tests.services.run import Run, free_ports
from load_tests.services.wait import until
from pipeline.cases.notice import CASE_NAME, Notice
from schemas.timestamps import MS_PER_MINUTE
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


def test_an_alertmanager_that_begins_anew_hears_of_what_is_not_over(
    alertmanager: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "AGAIN_S", 0.2)
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    now_ms = int(time.time() * 1000)
    first, second = (
        Notice(
            key=f"case-{number}",
            name=CASE_NAME,
            state="open",
            loudness="page",
            summary="1 alert",
            description="",
            queue="self_service",
            since_ms=now_ms,
            until_ms=now_ms + MS_PER_MINUTE,
        )
        for number in (1, 2)
    )
    pages = Pages(Settings(), Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}))
    with Listeners([Receiving([address])], pages, PagerMetrics(("alertmanager",))) as listening:
        listening.tell(first, ["alertmanager"])
        listening.tell(second, ["alertmanager"])
        with alone(alertmanager, tmp_path, port):
            until(lambda: held(address) == {"case-1", "case-2"}, "both cases")
        listening.tell(msgspec.structs.replace(second, state="over", until_ms=now_ms), ["alertmanager"])
        with alone(alertmanager, tmp_path, port):

            def again() -> bool:
                listening.look()
                return held(address) == {"case-1"}

            until(again, "what is not over")


@contextmanager
def alone(program: str, folder: Path, port: int) -> Iterator[None]:
    """One that is killed when the block ends, and keeps its folder."""
    (folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    arguments = ["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"], cwd=folder, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def held(address: str) -> set[str]:
    """Return the cases that it holds as firing; none while it cannot be asked."""
    try:
        with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=5) as answer:  # noqa: S310 - ours
            return {each["labels"]["case"] for each in json.load(answer)}
    except OSError:
        return set()


def names(body: dict[str, Any]) -> set[str]:
    return {each["labels"]["alertname"] for each in body["alerts"]}
