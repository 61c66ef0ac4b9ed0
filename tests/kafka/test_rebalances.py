"""Rebalances that begin while another still is at work: every one comes to an end, and nothing is lost on the way."""

import signal
from itertools import count
from pathlib import Path

import pytest

from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import Worker, prepare
from tests.kafka.test_faults import assert_exactly_once, send

# Published at each look: a few, for all of them are run again offline.
STEP = 10


@pytest.mark.timeout(300)
def test_rebalances_that_overtake_each_other_leave_nobody_waiting(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap, ("-m", "tests.kafka.restless", "worker")) as worker:
        numbers = count(0, STEP)

        def at_rest() -> bool:
            begin = next(numbers)
            send(empty_kafka, begin, begin + STEP)
            return "restless at rest" in worker.log()

        until(at_rest, "the worker to have been disturbed enough", seconds=200)
        assert_exactly_once(empty_kafka, next(numbers))
        assert worker.stop() == 0


def test_a_worker_tells_where_it_waits(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        worker.ready()
        worker.process.send_signal(signal.SIGUSR2)
        worker.said(r"a thread is at thread=MainThread")
        worker.said(r"a task waits at .*recovery.py:\d+ _restart_recovery")
        worker.said(r"a task waits at .*group_coordinator.py:\d+ __coordination_routine")  # of the other thread's loop
        assert worker.stop() == 0
