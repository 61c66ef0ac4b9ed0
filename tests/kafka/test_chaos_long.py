"""What takes minutes: every kind of fault, and defects that the judge must see. Only `make chaos` runs it."""

import pytest

from load_tests.chaos.run import Plan
from tests.kafka.test_chaos import assert_nothing_went_wrong, judged


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_repeated_whatever_breaks() -> None:
    kinds = ["kill", "zombie", "pause", "stop", "resize", "broker_kill", "broker_pause", "redis_gone", "compaction"]
    assert_nothing_went_wrong(judged(Plan(transactions=8_000, seed=1, rate=100, kinds=kinds)), kinds)


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
