"""Boards and alerts, asked of a real Prometheus that watches a real worker: each panel has something to show."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from load_tests.services.alertmanager import Alertmanager
from load_tests.services.kafka import Kafka
from load_tests.services.prometheus import Prometheus
from load_tests.services.run import Run
from load_tests.services.wait import until
from schemas.codec import encode
from schemas.disposition import Disposition
from schemas.timestamps import MS_PER_HOUR, MS_PER_MINUTE, format_ms
from tests import first_alert
from tests.boards import BOARDS, as_grafana_asks, of_models, queries, unanswered
from tests.kafka.alerting import pager
from tests.kafka.house import Worker, await_records, prepare, publish
from tests.promql import alerts, rules, selectors
from tests.readme import blocks
from tests.readme import run as run_shell

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "dashboards"
RUNBOOKS = sorted((DASHBOARDS / "runbooks").glob("*.md"))


@pytest.fixture(scope="module")
def manager(alertmanager: str, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Alertmanager:
    config = yaml.safe_load((DASHBOARDS / "alertmanager" / "alertmanager.yml").read_text())
    return Alertmanager(alertmanager, run, tmp_path_factory.mktemp("alertmanager"), config)


@pytest.fixture(scope="module")
def watched(
    kafka: Kafka, prometheus: str, manager: Alertmanager, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A Prometheus that has seen a worker idle, and then busy."""
    kafka.clear()
    prepare(kafka)
    logs, folder = tmp_path_factory.mktemp("worker"), tmp_path_factory.mktemp("prometheus")
    policy = str(first_alert.POLICY)
    with Worker(logs, kafka.bootstrap, policy=policy) as worker, ExitStack() as stack:
        port = worker.ready().said(r"metrics served port=(\d+)")[1]
        pages = stack.enter_context(pager(logs, kafka, alertmanager=f"http://{manager.address}", policy=policy))
        targets = {
            "tierwatch": f"127.0.0.1:{port}",
            "tierwatch-pager": f"127.0.0.1:{pages.port()}",
            "alertmanager": manager.address,
        }
        watching = Prometheus(prometheus, run, folder, targets)
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
    given_back = {
        **fields,
        "transaction_id": "tx-back",
        "occurred_at": format_ms(now_ms),
        "transaction_type": "reversal",
        "original_transaction_id": fields["transaction_id"],
        "original_occurred_at": fields["occurred_at"],
    }
    publish(kafka, "transactions-priority", [(first_alert.CUSTOMER, json.dumps(given_back).encode())])
    label = Disposition(
        disposition_id="label-1",
        customer_id=first_alert.CUSTOMER,
        occurred_at=format_ms(now_ms),
        actor="ana",
        label="genuine",
        status="final",
        source="core-banking",
        transaction_id="tx-1",
    )
    publish(kafka, "dispositions", [(first_alert.CUSTOMER, encode(label))])


def test_each_panel_of_each_board_has_something_to_show(watched: Prometheus) -> None:
    """Those that look at a model are asked of a house that has one: test_model_board.py."""
    asked = queries() - of_models()
    assert len(asked) > 60
    assert unanswered(watched, asked, seconds=20) == set()


def test_what_a_panel_shows_is_what_was_decided(watched: Prometheus) -> None:
    def by_tier() -> dict[str, str]:
        tiers = watched.asked("query", query="sum by (tier) (tierwatch_decisions_total) > 0")
        return {result["metric"]["tier"]: result["value"][1] for result in tiers}

    until(lambda: by_tier() == {"gold": "6"}, "all six payments of the story to be counted")


def test_each_variable_of_each_board_has_values(watched: Prometheus) -> None:
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            if variable["type"] != "query":
                assert variable["query"]
                continue
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"])
            assert found is not None, variable
            series = watched.asked("series", **{"match[]": as_grafana_asks(found[1])})
            assert {each[found[2]] for each in series}, variable


@pytest.mark.usefixtures("kcat", "promtool", "amtool")
def test_what_runbooks_tell_to_run_can_be_run(watched: Prometheus, manager: Alertmanager, kafka: Kafka) -> None:
    here = {
        "localhost:29092": kafka.bootstrap,
        "localhost:9090": watched.address,
        "localhost:9093": manager.address,
        "tierwatch ": ".venv/bin/tierwatch ",
    }
    told = [block for page in RUNBOOKS for block in blocks(page)]
    assert {block.language for block in told} == {"sh"}
    # No engine runs here: see below.
    commands = {line for block in told for line in block.text.splitlines() if not line.startswith("docker compose ")}
    shown = {}
    for command in sorted(commands):
        line = command
        for there, address in here.items():
            line = line.replace(there, address)
        shown[command] = run_shell(line, TIERWATCH_BROKER=kafka.bootstrap, TIERWATCH_POLICY=str(first_alert.POLICY))
    (letters,) = (said for command, said in shown.items() if "-t dead-letters -o -5" in command)
    assert "reason=not_json" in letters
    assert "topic=transactions" in letters
    assert (
        "tierwatch_partitions_owned" in shown["promtool query instant http://localhost:9090 tierwatch_partitions_owned"]
    )


def test_runbooks_name_services_that_exist() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = [line for page in RUNBOOKS for block in blocks(page) for line in block.text.splitlines()]
    asked = [line.partition("|")[0].split()[2:] for line in commands if line.startswith("docker compose ")]
    assert asked
    for verb, *words in asked:
        assert verb in {"ps", "logs", "up", "restart", "kill", "exec"}
        assert set(words) & services.keys(), words


def test_rules_are_evaluated_on_what_workers_say(watched: Prometheus) -> None:
    def evaluated() -> list[dict[str, Any]]:
        found = [rule for group in watched.asked("rules")["groups"] for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else []

    found = until(evaluated, "all rules to be evaluated")
    assert {rule["name"] for rule in found if rule["health"] != "ok"} == set()
    states = {rule["name"]: rule["state"] for rule in found if rule["type"] == "alerting"}
    assert states.keys() == {alert["alert"] for alert in alerts()}
    # One record of six cannot be judged, so that objective is broken: a house this small has no budget for it.
    broken = {"TierwatchBudgetBurnsFast", "TierwatchBudgetBurnsSlowly"}
    assert {name for name, state in states.items() if state == "firing"} == {"Watchdog", *broken}
    burning = [alert for rule in found if rule["name"] in broken for alert in rule["alerts"]]
    slos = {alert["labels"]["slo"] for alert in burning}
    assert "judged" in slos
    assert slos <= {"judged", "timely"}  # a machine that is busy with other tests may commit late


def test_whatever_rules_ask_for_is_there(watched: Prometheus) -> None:
    asked = {name + matchers for rule in rules() for name, matchers in selectors(rule["expr"])}
    missing = until_none(asked, watched)
    assert missing == set()


def until_none(asked: set[str], watched: Prometheus) -> set[str]:
    """Return which of these series do not appear within seconds."""
    missing = set(asked)

    def all_there() -> bool:
        missing.difference_update({each for each in missing if watched.asked("query", query=each)})
        return not missing

    with suppress(TimeoutError):
        until(all_there, "all series", seconds=20)
    return missing
