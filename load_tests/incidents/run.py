"""Breaks one thing after the other, and takes the time until somebody hears of it, and until it is over."""

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import yaml
from msgspec import Struct
from msgspec.structs import replace

from load_tests.incidents import hurried
from load_tests.incidents.faults import FAULTS, Fault
from load_tests.incidents.house import LOOKS_S, House
from load_tests.services.prometheus import CONFIG
from load_tests.services.wait import until
from load_tests.stand.stand import ROOT

FACTOR = 20
# Two looks of Prometheus, one at the workers and one at the rule; in production it looks every ten seconds. Then
# Alertmanager's wait for more of the same.
_COMMITTED_LOOKS_S, _GROUP_WAIT_S = 10, 10
# A machine on which everything runs at once: what no promise in production contains.
_SLACK_S = 5.0
_PATIENCE_S = 180.0
# Other programs want the machine, too.
_TRIES = 3
# Whoever looks this seldom was not let to: then nobody else was either, and nothing was measured.
_STOOD_STILL_S = 10.0
_VOID = 30
_RATE = "15s"
# Longer than the routes wait between two words about a group.
_SILENCED_S = 60.0
# What the committed routes let silence others.
_CAUSES = ("TierwatchNoWorker", "TierwatchBrokerAway", "TierwatchRestoreSlow", "TierwatchStuck")

T = TypeVar("T")


class Incident(Struct, kw_only=True):
    """What became of one fault. Seconds of this run; `promised_s` are those of a house with the rules as committed."""

    fault: str
    how: str
    alert: str
    receiver: str
    promised_s: float
    allowed_s: float
    heard_s: float
    over_s: float
    panel: str
    passes: str
    before: float | None
    shown: float | None
    besides: list[str]
    tries: int = 1

    @property
    def good(self) -> bool:
        """Whether all was as promised."""
        return self.heard_s <= self.allowed_s


def incidents(names: Sequence[str] = (), factor: int = FACTOR) -> list[Incident]:
    """Break each of the named things, of all without a name; return what became of each.

    Raises:
        UnavailableError: something that is needed cannot be had; the text says what to do.
        TimeoutError: however often it was tried, nobody heard of a fault, its panel did not show it, or it never ended.

    """
    wanted = [fault for fault in FAULTS if not names or fault.name in names]
    with House(factor) as house:
        return [_tried(house, fault) for fault in wanted]


class StoodStillError(Exception):
    """The machine let nobody work for a while: what was being measured says nothing."""


def _tried(house: House, fault: Fault) -> Incident:
    tries = 0
    for _ in range(_VOID):
        try:
            told = replace(_one(house, fault), tries=tries + 1)
        except StoodStillError:
            why = "the machine stood still: once more"
        except TimeoutError as error:
            tries += 1
            if tries == _TRIES:
                raise
            why = str(error)
        except OSError as error:
            why = f"Prometheus does not answer: {error}"
        else:
            tries += 1
            if told.good or tries == _TRIES:
                return told
            why = f"heard after {told.heard_s} s, later than {told.allowed_s} s"
        print(f"{fault.name}: {why}", file=sys.stderr, flush=True)
        fault.mends(house)
    raise TimeoutError(f"the machine never let anybody see what becomes of: {fault.name}")


def _one(house: House, fault: Fault) -> Incident:
    rule = _rules()[fault.alert]
    path = f"/{rule['labels']['severity']}"
    panel = _Panel(house, fault)
    awake = _Awake()

    def wait(condition: Callable[[], T | None], what: str) -> T:
        return until(awake.looking(condition), what, seconds=_PATIENCE_S)

    wait(lambda: not _firing(house, fault.alert) and not panel.passed(), f"calm before: {fault.name}")
    before = panel.now()
    panel.most = None
    began = time.time()
    print(f"{time.strftime('%H:%M:%S')} {fault.name}", file=sys.stderr, flush=True)
    fault.breaks(house)

    def heard() -> float | None:
        panel.passed()
        return _heard(house, fault.alert, path, "firing", began)

    heard_at = wait(heard, f"{fault.alert} to be heard")
    wait(panel.passed, f"the panel {fault.panel} to pass {fault.value:g}")
    mended = time.time()
    fault.mends(house)
    over_at = wait(lambda: _over(house, fault.alert, path, mended), f"{fault.alert} to be over")
    waits_s = fault.query_s + hurried.seconds(rule.get("for", "0s")) + _GROUP_WAIT_S
    return Incident(
        fault=fault.name,
        how=fault.how,
        alert=fault.alert,
        receiver=path.strip("/"),
        promised_s=fault.own_s + waits_s + 2 * _COMMITTED_LOOKS_S,
        allowed_s=round(fault.own_s + waits_s / house.factor + 2 * LOOKS_S + _SLACK_S, 1),
        heard_s=round(heard_at - began, 1),
        over_s=round(over_at - mended, 1),
        panel=f"{fault.board}: {fault.panel}",
        passes=f"at {fault.passes} {fault.value:,g}",
        before=before,
        shown=panel.most,
        besides=sorted(_names(house, began) - {fault.alert, "Watchdog"}),
    )


class _Awake:
    """Sees whether we are let to look as often as we want to."""

    def __init__(self) -> None:
        self._looked = time.monotonic()

    def looking(self, condition: Callable[[], T | None]) -> Callable[[], T | None]:
        """Return what looks, and raises `StoodStillError` where the last look is too long ago."""

        def look() -> T | None:
            before, self._looked = self._looked, time.monotonic()
            if self._looked - before > _STOOD_STILL_S:
                raise StoodStillError
            return condition()

        return look


class _Panel:
    """What a panel shows: of several lines the one that passes soonest."""

    def __init__(self, house: House, fault: Fault) -> None:
        board = json.loads((ROOT / "dashboards" / "grafana" / "boards" / f"{fault.board}.json").read_text())
        (panel,) = (each for each in board["panels"] if each["title"] == fault.panel)
        query = re.sub(r"\$(job|instance)\b", ".+", panel["targets"][0]["expr"])
        self._query = hurried.query(query, house.factor).replace("$__rate_interval", _RATE)
        self._house = house
        self._pick = max if fault.passes == "least" else min
        self._value = fault.value
        self.most: float | None = None

    def now(self) -> float | None:
        """Return it; None where the panel is empty."""
        values = [float(each["value"][1]) for each in self._house.asked(self._query)]
        return round(self._pick(values), 2) if values else None

    def passed(self) -> bool:
        """Whether it is past the declared value now; keeps the furthest."""
        value = self.now()
        if value is None:
            return False
        self.most = value if self.most is None else self._pick(self.most, value)
        return self._pick(value, self._value) == value


def _firing(house: House, alert: str) -> bool:
    """Whether it fires already, or soon would, or one does that silences it."""
    return bool(house.asked(f'ALERTS{{alertname=~"{"|".join((alert, *_CAUSES))}"}}'))


def _heard(house: House, alert: str, path: str, status: str, since: float) -> float | None:
    """Return when whoever the routes send it to was told so."""
    for heard in list(house.told.heard):
        told = {(each["labels"]["alertname"], each["status"]) for each in heard.body["alerts"]}
        if heard.at > since and heard.path == path and (alert, status) in told:
            return heard.at
    return None


def _over(house: House, alert: str, path: str, since: float) -> float | None:
    """Return when they were told that it is over; where something silenced it by then, Alertmanager says nothing."""
    told = _heard(house, alert, path, "resolved", since)
    if told is None and time.time() - since > _SILENCED_S:
        names = {each["labels"]["alertname"] for each in house.manager.alerts()}
        return None if alert in names else time.time()
    return told


def _names(house: House, since: float) -> set[str]:
    return {
        each["labels"]["alertname"]
        for heard in list(house.told.heard)
        for each in heard.body["alerts"]
        if heard.at > since and each["status"] == "firing"
    }


@cache
def _rules() -> dict[str, dict[str, Any]]:
    files = [file for file in (CONFIG / "rules").glob("*.yml") if not file.stem.endswith("_test")]
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}
