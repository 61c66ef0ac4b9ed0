"""The board and the alerts, asked of a real Prometheus that watches a real worker: each panel has something to show."""

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from load_tests.services.kafka import Kafka
from load_tests.services.run import Run, free_ports
from load_tests.services.wait import until
from schemas.timestamps import MS_PER_HOUR, MS_PER_MINUTE
from tests import first_alert
from tests.kafka.house import Worker, await_records, prepare, publish
from tests.readme import run as run_shell

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "dashboards"
BOARD = json.loads((DASHBOARDS / "grafana" / "boards" / "tierwatch.json").read_text())


class Prometheus:
    """Prometheus with the committed configuration, but another address to scrape, and every second."""

    def __init__(self, program: str, run: Run, folder: Path, worker: str) -> None:
        (port,) = free_ports(1)
        self._url = f"http://127.0.0.1:{port}/api/v1"
        config = yaml.safe_load((DASHBOARDS / "prometheus" / "prometheus.yml").read_text())
        config["global"] = dict.fromkeys(config["global"], "1s")
        for job in config["scrape_configs"]:
            job.pop("dns_sd_configs", None)
            job["static_configs"] = [{"targets": [worker if job["job_name"] == "tierwatch" else f"127.0.0.1:{port}"]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        (folder / "rules.yml").write_bytes((DASHBOARDS / "prometheus" / "rules.yml").read_bytes())
        (folder / "data").mkdir()
        arguments = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]["command"]
        places = {"/etc/prometheus/": f"{folder}/", "=/prometheus": f"={folder / 'data'}"}
        for ours, here in places.items():
            arguments = [argument.replace(ours, here) for argument in arguments]
        run.spawn(folder, [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"], self._ready)

    def _ready(self) -> bool:
        try:
            return bool(self.asked("query", query="1"))
        except OSError:
            return False

    def asked(self, what: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """Return the answer's `data`, of a query its results."""
        url = f"{self._url}/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
            data = json.load(answer)["data"]
        return data.get("result", data)


@pytest.fixture(scope="module")
def watched(kafka: Kafka, prometheus: str, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen a worker idle, and then busy."""
    kafka.clear()
    prepare(kafka)
    logs, folder = tmp_path_factory.mktemp("worker"), tmp_path_factory.mktemp("prometheus")
    with Worker(logs, kafka.bootstrap, policy=str(first_alert.POLICY)) as worker:
        port = worker.ready().said(r"metrics served port=(\d+)")[1]
        watching = Prometheus(prometheus, run, folder, f"127.0.0.1:{port}")
        # Rates and increases are between two looks.
        until(lambda: watching.asked("query", query='count_over_time(up{job="tierwatch"}[1m]) > 1'), "two scrapes")
        _tell_the_story(kafka)
        yield watching


def _tell_the_story(kafka: Kafka) -> None:
    """The README's: an alert, privileges used, and a record that cannot be read."""
    now_ms = int(time.time() * 1000)
    transfers = tuple(now_ms - minutes * MS_PER_MINUTE for minutes in (30, 22, 15, 8, 1))
    for topic, fields in first_alert.records(now_ms - MS_PER_HOUR, transfers):
        publish(kafka, topic, [(first_alert.CUSTOMER, json.dumps(fields).encode())])
        if topic == "customer-events":
            await_records(kafka.bootstrap, "entitlements", 1)
    publish(kafka, "transactions", [("c-1", b"no JSON")])
    await_records(kafka.bootstrap, "alerts", 1)
    await_records(kafka.bootstrap, "dead-letters", 1)


def test_each_panel_has_something_to_show(watched: Prometheus) -> None:
    queries = {
        f"{panel['title']}: {target['expr']}": target["expr"].replace("$__rate_interval", "15s")
        for panel in BOARD["panels"]
        for target in panel["targets"]
    }
    assert len(queries) > len(BOARD["panels"])
    empty = dict(queries)

    def all_have_answers() -> bool:
        for name in [name for name, query in empty.items() if _numbers(watched.asked("query", query=query))]:
            del empty[name]
        return not empty

    try:
        until(all_have_answers, "an answer to each query", seconds=20)
    except TimeoutError:
        assert empty == {}
    tiers = watched.asked("query", query="sum by (tier) (tierwatch_decisions_total) > 0")
    assert {result["metric"]["tier"]: result["value"][1] for result in tiers} == {"gold": "5"}


def _numbers(results: list[dict[str, Any]]) -> bool:
    """Whether there is an answer, and it is a number: the quantile of nothing is not."""
    return bool(results) and all(result["value"][1] != "NaN" for result in results)


@pytest.mark.usefixtures("watched", "kcat")
def test_the_runbook_shows_why_a_record_could_not_be_judged(kafka: Kafka) -> None:
    (command,) = re.findall(r"`(kcat .*?)`", (DASHBOARDS / "runbooks.md").read_text())
    shown = run_shell(command.replace("localhost:29092", kafka.bootstrap))
    assert "reason=not_json" in shown
    assert "topic=transactions" in shown


def test_rules_are_evaluated_on_what_workers_say(watched: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        found = [rule for group in watched.asked("rules")["groups"] for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else []

    evaluated = until(rules, "all rules to be evaluated")
    assert {rule["name"]: (rule["health"], rule["state"]) for rule in evaluated} == {
        "TierwatchNoWorker": ("ok", "inactive"),
        "TierwatchStuck": ("ok", "inactive"),
        "TierwatchSlow": ("ok", "inactive"),
        "TierwatchDeadLetters": ("ok", "inactive"),
        "TierwatchPolicySkew": ("ok", "inactive"),
        "TierwatchBreakGlassUnreviewed": ("ok", "inactive"),
    }


def test_the_board_is_what_grafana_reads() -> None:
    datasources = yaml.safe_load((DASHBOARDS / "grafana/provisioning/datasources/prometheus.yml").read_text())
    uids = {source["uid"] for source in datasources["datasources"]}
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells)), "panels lie on one another"
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(places)
    for panel in BOARD["panels"]:
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] in uids
        assert all(target["datasource"]["uid"] in uids for target in panel["targets"])
