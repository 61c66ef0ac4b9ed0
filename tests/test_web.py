"""What a worker answers over HTTP, and how its log reads for programs."""

import json
import logging
import time
import urllib.error
import urllib.request

import pytest

from agents import web
from agents.health import HANGS_S, Health
from agents.log import OneLine, OneObject
from agents.measure import Metrics


def asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def port(health: Health) -> int:
    return web.serve("127.0.0.1", 0, Metrics().registry, health)


def test_a_worker_that_waits_for_kafka_is_alive_and_not_ready(port: int) -> None:
    status, body = asked(port, "/health/live")
    assert (status, json.loads(body)) == (200, {"live": True})
    status, body = asked(port, "/health/ready")
    assert (status, json.loads(body)) == (503, {"ready": False, "waits_for": "Kafka's first answer"})


def test_a_worker_whose_loop_hangs_is_not_alive(port: int, health: Health) -> None:
    health._looked = time.monotonic() - HANGS_S
    assert asked(port, "/health/live")[0] == asked(port, "/health/ready")[0] == 503


def test_metrics_stand_where_they_stood_and_other_paths_are_named(port: int) -> None:
    status, body = asked(port, "/metrics")
    assert status == 200
    assert "tierwatch_build_info{" in body
    status, body = asked(port, "/")
    assert status == 404
    assert "/health/ready" in body


def record(event: str, error: Exception | None = None, **values: object) -> logging.LogRecord:
    made = logging.LogRecord(
        "tierwatch.engine", logging.INFO, "", 0, event, (), (type(error), error, None) if error else None
    )
    made.values = values
    return made


def test_a_line_for_programs_says_what_a_line_for_people_says() -> None:
    told = json.loads(OneObject().format(record("recovered", partition=3, reason='a "quoted"\nline', path=pytest)))
    assert told["level"] == "INFO"
    assert told["logger"] == "engine"
    assert told["event"] == "recovered"
    assert told["partition"] == 3
    assert told["reason"] == 'a "quoted"\nline'
    assert OneLine().format(record("recovered", partition=3)).endswith("INFO engine recovered partition=3")


def test_an_error_is_one_line_with_its_traceback() -> None:
    line = OneObject().format(record("broken", ValueError("no\nway")))
    assert "\n" not in line
    assert json.loads(line)["error"] == "ValueError: no\nway"
    assert "ValueError" in json.loads(line)["traceback"]
