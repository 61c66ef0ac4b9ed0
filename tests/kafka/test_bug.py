"""A bug of ours, past its limit: the worker stops, commits nothing of the unit, and the records wait."""

import subprocess
import sys
from pathlib import Path

from agents.exit_codes import Exit
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import Worker, await_records, payment, prepare, publish_payments, read

BROKEN = """
import sys
from agents.settings import Settings
from agents.worker import run_worker
from pipeline.partition import Partition

whole = Partition.take

def broken(self, records, clock_ms=None):
    if records:
        whole(self, records[:1])  # a state half changed
        raise ZeroDivisionError("a bug for the test")
    return whole(self, records, clock_ms)

Partition.take = broken
sys.exit(run_worker(Settings.from_environment()))
"""


def test_the_worker_stops_rather_than_drops(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    publish_payments(empty_kafka, [payment(number, f"c-{number}") for number in range(10)])
    environment = {"TIERWATCH_BROKER": empty_kafka.bootstrap, "TIERWATCH_METRICS_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == Exit.FAILED, done.stderr
    print(done.stderr)
    (line,) = [line for line in done.stderr.splitlines() if "a bug of ours at transactions[" in line]
    assert "nothing of them is committed" in line
    assert "ZeroDivisionError: a bug for the test" in line
    assert read(empty_kafka.bootstrap, "decisions") == []
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        assert len(await_records(empty_kafka.bootstrap, "decisions", 10)) == 10
        assert worker.stop() == 0


def test_an_input_that_was_made_anew_under_its_state_ends_the_worker(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    publish_payments(empty_kafka, [payment(number, f"c-{number}") for number in range(100)])
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        await_records(empty_kafka.bootstrap, "decisions", 100)
        assert worker.stop() == 0
    empty_kafka.admin.delete_topics(["transactions"])["transactions"].result()
    until(lambda: "transactions" not in empty_kafka.topics(), "the topic to be gone")
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        assert worker.ended() == Exit.FAILED
        assert "it was deleted and made anew. Delete the changelogs" in worker.log()


HANGING = """
import sys, threading, time
import agents.worker
from agents.settings import Settings

agents.worker.LEAVING_S = 1.0
threading.Thread(target=time.sleep, args=(600,)).start()  # as one of a library that never ends
sys.exit(agents.worker.run_worker(Settings.from_environment()))
"""


def test_a_thread_that_does_not_end_keeps_no_worker_alive(empty_kafka: Kafka, tmp_path: Path) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap, program=["-c", HANGING]) as worker:
        worker.ready()
        assert worker.stop() == Exit.FAILED
        assert "a thread does not end" in worker.log()
