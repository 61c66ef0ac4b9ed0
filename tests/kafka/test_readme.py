"""The README's way from an empty Kafka to three alerts: its own commands, in its own order."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from load_tests.services import kafka as kafka_service
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import headers, read
from tests.readme import README, block, environment, run, shell


@pytest.fixture(scope="module")
def broker(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka with the README's worker on it."""
    kafka.clear()
    text = block(README, "sh", "localhost:9092").text.replace("localhost:9092", kafka.bootstrap)
    log = tmp_path_factory.mktemp("readme") / "log"
    # The port of /metrics is the machine's: one that is free.
    ours = environment(TIERWATCH_METRICS_PORT="0", TIERWATCH_METRICS_HOST="127.0.0.1")
    with log.open("wb") as output:
        session = subprocess.Popen(
            shell(text), env=ours, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )

    def said(words: str) -> re.Match[str] | None:
        found = re.search(words, log.read_text())
        assert found or session.poll() is None, log.read_text()
        return found

    try:
        until(lambda: said("worker ready"), "the README's worker", seconds=60)
        yield kafka.bootstrap
    finally:
        os.killpg(session.pid, signal.SIGTERM)
        session.wait(60)
        until(lambda: "worker stopped" in log.read_text(), "the worker's end", seconds=30)


def alert_for(broker: str, transaction_id: str) -> dict[str, Any]:
    """Wait for a transaction's alert; a dead letter ends the wait at once."""

    def look() -> dict[str, Any] | None:
        refused = [(headers(message), message.value()) for message in read(broker, "dead-letters")]
        assert refused == []
        alerts = [json.loads(message.value() or b"") for message in read(broker, "alerts")]
        return next((alert for alert in alerts if alert["transaction_id"] == transaction_id), None)

    return until(look, f"the alert for {transaction_id}")


def test_python_publishes(broker: str, tmp_path: Path) -> None:
    program = tmp_path / "publish.py"
    program.write_text(block(README, "python", "import Producer").text)
    subprocess.run([sys.executable, program], check=True, env=environment(TIERWATCH_BROKER=broker), timeout=60)
    # At night, where the policy lives, it passes the night's limit, too.
    first, *_ = alert_for(broker, "python-1")["reasons"]
    assert first == "The amount is 1,800.00 USD; tier base allows 1,500.00 USD per transaction."


def test_java_publishes(broker: str, javac: str, tmp_path: Path) -> None:
    program, classes = tmp_path / "Publish.java", f"{kafka_service.jars()}/*"
    program.write_text(block(README, "java", "KafkaProducer;").text)
    subprocess.run([javac, "-Xlint:all", "-Werror", "-proc:none", "-cp", classes, "-d", tmp_path, program], check=True)
    # As the README says it: the source itself, without a build.
    command = [str(Path(javac).with_name("java")), "-cp", classes, str(program)]
    subprocess.run(command, check=True, env=environment(TIERWATCH_BROKER=broker), timeout=60)
    assert alert_for(broker, "java-1")["customer_id"] == "c-2002"


@pytest.mark.usefixtures("kcat")
def test_a_shell_publishes_and_sees_the_alert(broker: str) -> None:
    run(block(README, "sh", "kcat -P").text, TIERWATCH_BROKER=broker)
    alert = alert_for(broker, "kcat-1")
    shown = run(block(README, "sh", "kcat -C").text, TIERWATCH_BROKER=broker)
    assert alert in [json.loads(line) for line in shown.splitlines()]
