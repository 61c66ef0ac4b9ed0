"""The pager on a real broker, Alertmanager and receiver: one incident, one page, whoever is killed on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import yaml

from load_tests.services.kafka import Kafka
from load_tests.services.run import Run
from load_tests.services.wait import until
from pipeline.ids import derived_id
from schemas.case import Case
from schemas.codec import encode
from schemas.decision import Alert, Signal
from schemas.timestamps import format_ms
from tests.command import tierwatch
from tests.kafka.house import prepare, publish, read
from tests.services.alertmanager import Alertmanager, impatient
from tests.services.receiver import Receiver, receiver

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "dashboards" / "alertmanager" / "alertmanager.yml").read_text())
CAMPAIGN = 2_000
SINGLE = 10


def alerts(customer: str, count: int) -> list[tuple[str | bytes | None, bytes | None]]:
    """Breaches of one customer, now, that hold money."""
    now = format_ms(int(time.time() * 1000))
    breach = Signal(rule="velocity_24h", mode="live", severity="critical", points=90, observed=2, limit=1)
    plain = Alert(
        decision_id="d",
        transaction_id="t",
        source="test",
        customer_id=customer,
        occurred_at=now,
        arrived_at=now,
        outcome="hold",
        tier="gold",
        score=90,
        lane="standard",
        policy_version=1,
        policy_hash="00",
        signals=(breach,),
        base_tier_signals=(),
        alert_id="",
        reasons=(),
        features={},
        state_digest="00",
    )
    return [
        (customer, encode(msgspec.structs.replace(plain, alert_id=derived_id("alert", customer, number))))
        for number in range(count)
    ]


@contextmanager
def pager(folder: Path, kafka: Kafka, manager: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("TIERWATCH_")}
    environment |= {
        "TIERWATCH_BROKER": kafka.bootstrap,
        "TIERWATCH_ALERTMANAGER": f"http://{manager}",
        "TIERWATCH_SESSION_TIMEOUT": "6",
    }
    with (folder / "pager.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "console", "pager"], env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def newest(kafka: Kafka) -> dict[str, Case]:
    decode = msgspec.json.Decoder(Case).decode
    found = [decode(message.value() or b"") for message in read(kafka.bootstrap, "cases")]
    return {case.case_id: case for case in found}


def paged(told: Receiver) -> set[str]:
    return {body["groupLabels"]["case"] for body in told.at("/security-page")}


def test_one_incident_is_one_page_and_a_killed_pager_changes_nothing(
    empty_kafka: Kafka, alertmanager: str, run: Run, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    with receiver() as told:
        manager = Alertmanager(alertmanager, run, folder, impatient(CONFIG, told.address))
        with pager(tmp_path, empty_kafka, manager.address) as first:
            publish(empty_kafka, "alerts", alerts("c-campaign", CAMPAIGN // 2))
            until(lambda: newest(empty_kafka), "a case", seconds=60)
            first.send_signal(signal.SIGKILL)
        publish(empty_kafka, "alerts", alerts("c-campaign", CAMPAIGN // 2))
        for number in range(SINGLE):
            publish(empty_kafka, "alerts", alerts(f"c-single-{number}", 1))
        with pager(tmp_path, empty_kafka, manager.address) as second:
            until(
                lambda: sum(case.alerts for case in newest(empty_kafka).values()) >= CAMPAIGN + SINGLE,
                "all counted",
                seconds=90,
            )
            cases = newest(empty_kafka)
            assert sorted(case.alerts for case in cases.values()) == [1] * SINGLE + [CAMPAIGN]
            until(lambda: paged(told) == cases.keys(), "each case to be paged")
            second.send_signal(signal.SIGTERM)
            assert second.wait(30) == 0
        heard = json.dumps(told.at("/security-page"))
        assert "c-campaign" not in heard
        assert "c-single" not in heard
        each_once: list[dict[str, Any]] = manager.alerts()
        assert sorted(alert["labels"]["case"] for alert in each_once) == sorted(cases)
        assert told.at("/security-ticket") == []
    listed = tierwatch("cases", "list", "--json", TIERWATCH_BROKER=empty_kafka.bootstrap).stdout.splitlines()
    assert {json.loads(line)["case_id"] for line in listed} == cases.keys()
    shown = tierwatch("cases", "list", TIERWATCH_BROKER=empty_kafka.bootstrap).stdout.decode()
    assert f"{CAMPAIGN:,} alerts up to hold" in shown


def test_alertmanager_that_is_away_is_told_later(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with receiver() as told:
        # It refuses twice, as one that starts or is overloaded does; then it is there.
        told.refusals = [503, 503]
        with pager(tmp_path, empty_kafka, told.address.removeprefix("http://")):
            publish(empty_kafka, "alerts", alerts("c-1", 3))
            until(lambda: "3 alerts on one customer, up to hold" in summaries(told), "to be told at last", seconds=60)
            log = until(lambda: _with("Alertmanager takes cases again", tmp_path / "pager.log"), "the log to say so")
        assert log.count("nobody is paged: Alertmanager does not take cases") == 1


def summaries(told: Receiver) -> set[str]:
    return {alert["annotations"]["summary"] for body in told.at("/api/v2/alerts") for alert in body}


def _with(words: str, log: Path) -> str:
    """Return what a log says once it holds these words."""
    text = log.read_text()
    return text if words in text else ""


def test_without_an_address_it_says_what_to_set() -> None:
    done = tierwatch("pager")
    assert b"TIERWATCH_ALERTMANAGER" in done.stderr
