"""`/metrics` of a worker at work, as Prometheus' own checker reads it."""

import re
import subprocess
from pathlib import Path

from agents.metrics import REGISTER
from load_tests.services.kafka import Kafka
from load_tests.services.wait import until
from tests.kafka.house import Worker, await_records, payment, prepare, publish, publish_payments


def test_promtool_finds_nothing_to_say_and_no_customer_is_named(
    empty_kafka: Kafka, promtool: str, tmp_path: Path
) -> None:
    prepare(empty_kafka)
    with Worker(tmp_path, empty_kafka.bootstrap) as worker:
        worker.ready()
        publish_payments(
            empty_kafka, [payment(number, f"somebody-{number}", merchant_id="somewhere") for number in range(20)]
        )
        publish(empty_kafka, "transactions", [("somebody-1", b"no JSON")])
        await_records(empty_kafka.bootstrap, "dead-letters", 1)
        until(lambda: worker.metric("tierwatch_decisions_total") == 20, "20 decisions counted")
        until(lambda: worker.metric("tierwatch_state_customers", table="windows") == 20, "20 customers counted")
        scrape = worker.scrape()
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=scrape, text=True, capture_output=True, timeout=60, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
        assert (
            worker.metric("tierwatch_dead_letters_total")
            == worker.metric("tierwatch_dead_letters_total", reason="not_json")
            == 1
        )
        assert worker.metric("tierwatch_partitions_owned") == 4
        assert worker.metric("tierwatch_policy_info") == 1
        until(lambda: worker.metric("tierwatch_lag_records") == 0, "no lag")
        assert worker.metric("tierwatch_end_to_end_seconds_count") > 0

        assert worker.answer("/health/ready") == (200, {"ready": True})
        assert worker.answer("/health/live") == (200, {"live": True})

    served = set(re.findall(r"^# HELP (\S+)", scrape, re.MULTILINE))
    assert "process_resident_memory_bytes" in served
    assert {name for name in served if not name.startswith("process_")} == {
        definition.full_name for definition in REGISTER
    }
    assert "somebody" not in scrape
    assert "somewhere" not in scrape
    assert "t-1" not in scrape
    # What is known beforehand stands at zero: rates begin without a gap.
    assert re.search(r'^tierwatch_dead_letters_total\{reason="crashed"\} 0\.0$', scrape, re.MULTILINE)
    assert re.search(r'^tierwatch_decisions_total\{outcome="hold",tier="platinum"\} 0\.0$', scrape, re.MULTILINE)
