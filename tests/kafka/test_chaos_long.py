"""What takes minutes: every kind of fault, and defects that the judge must see. Only `make chaos` runs it."""

import time
from pathlib import Path

import pytest

from load_tests.chaos.run import Plan
from load_tests.services.wait import until
from tests.kafka.house import Worker, prepare
from tests.kafka.own_broker import OwnBroker
from tests.kafka.test_chaos import assert_nothing_went_wrong, judged
from tests.kafka.test_faults import assert_exactly_once, send


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_repeated_whatever_breaks() -> None:
    kinds = ["kill", "zombie", "pause", "stop", "resize", "broker_kill", "broker_pause", "redis_gone", "compaction"]
    assert_nothing_went_wrong(judged(Plan(transactions=8_000, seed=1, rate=100, kinds=kinds)), kinds)


@pytest.mark.timeout(600)
def test_a_broker_that_is_away_for_a_minute_costs_a_minute(tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    folder.mkdir()
    with OwnBroker(tmp_path / "broker") as broker:
        prepare(broker.kafka)
        with Worker(folder, broker.kafka.bootstrap) as first, Worker(folder, broker.kafka.bootstrap) as second:
            first.ready()
            second.ready()
            send(broker.kafka, 0, 12_000)
            until(lambda: first.metric("tierwatch_records_total") > 0, "the worker to be in the middle", seconds=60)
            broker.kill()
            time.sleep(60)
            broker.start()
            send(broker.kafka, 12_000, 12_500)
            assert_exactly_once(broker.kafka, 12_500)
            assert (first.process.poll(), second.process.poll()) == (None, None)
            assert (first.stop(), second.stop()) == (0, 0)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "defect, seen",
    [
        ("batch_without_its_state", "state_differences"),
        ("position_one_too_far", "lost"),
        ("dropped_duplicate", "lost"),
    ],
)
def test_a_planted_defect_is_seen(monkeypatch: pytest.MonkeyPatch, defect: str, seen: str) -> None:
    monkeypatch.setenv("PLANTED", defect)
    plan = Plan(transactions=2_400, seed=1, rate=300, workers=1, kinds=["stop"], module="tests.kafka.planted")
    assert judged(plan)[seen] > 0
