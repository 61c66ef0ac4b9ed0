"""Back-pressure: what is undecided always fits on one partition of the embedded broker, and a standstill is told."""

import pytest

from agents.embedded import KEPT_BYTES
from agents.publisher import Publisher
from console import stage as the_stage
from console.worker_process import WorkerProcess
from load_tests import play
from load_tests.city import Event
from load_tests.city.score import Score
from load_tests.ledger import Ledger, Place
from load_tests.play import Play, StalledError
from schemas.journal import InputRange, JournalRecord
from tests.test_demo_ledger import decided, told

RECORDS = 4_000


class Broker:
    """Publisher and watcher at once: decides `speed` records whenever somebody looks."""

    def __init__(self, ledger: Ledger, speed: int) -> None:
        self.ledger = ledger
        self.speed = speed
        self.waiting: list[tuple[str, bytes]] = []
        self.most_bytes = 0
        self.taken = 0

    def publish(self, topic: str, _key: bytes, value: bytes, _at_ms: int) -> None:
        self.waiting.append((topic, value))
        self.most_bytes = max(self.most_bytes, sum(len(value) for _, value in self.waiting))

    def flush(self) -> None:
        pass

    def poll(self, _seconds: float) -> None:
        for topic, value in self.waiting[: self.speed]:
            if topic == "transactions":
                self.ledger.transaction(Place(topic, 0, self.taken), value)
                self.ledger.decision(decided(self.taken))
            self.ledger.journal(
                JournalRecord(
                    partition=0,
                    inputs=(InputRange(topic=topic, first=self.taken, next=self.taken + 1, count=1),),
                    policy_version=1,
                    policy_hash="",
                    policies_next=0,
                    rates_next=0,
                    engine_version="",
                )
            )
            self.taken += 1
        del self.waiting[: self.speed]


def stage(speed: int) -> tuple[Play, Broker]:
    ledger = Ledger()
    broker = Broker(ledger, speed)
    return Play(broker, broker, ledger, Score(), lambda: None), broker  # type: ignore[arg-type]


@pytest.mark.parametrize("topic", ["transactions", "customer-events"])
def test_never_more_undecided_than_the_broker_keeps(topic: str) -> None:
    on, broker = stage(speed=50)
    for number in range(RECORDS):
        padding = b" " * (1_000 if number % 2 else 2_000)
        on.publish(Event(number, topic, b"c-1", told(number) + padding))
    assert KEPT_BYTES / 5 < broker.most_bytes < KEPT_BYTES / 2
    on.settle()
    assert on.undecided == 0
    assert broker.taken == RECORDS
    assert [problem for problem in on.problems() if topic == "transactions"] == []


def test_a_standstill_is_told_and_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "_STALLED_SECONDS", 0.0)
    on, _ = stage(speed=0)
    for number in range(3):
        on.publish(Event(number, "transactions", b"c-1", told(number)))
    with pytest.raises(StalledError, match="3 records have no outcome"):
        on.settle()


def test_a_dead_worker_is_noticed_while_waiting() -> None:
    def dead() -> None:
        raise RuntimeError("dead")

    ledger = Ledger()
    broker = Broker(ledger, 0)
    on = Play(broker, broker, ledger, Score(), dead)  # type: ignore[arg-type]
    on.publish(Event(0, "transactions", b"c-1", told(0)))
    with pytest.raises(RuntimeError, match="dead"):
        on.settle()


def test_what_the_broker_lost_is_told() -> None:
    on, broker = stage(speed=1)
    on.publish(Event(0, "transactions", b"c-1", told(0)))
    broker.waiting.clear()
    assert list(on.problems()) == ["1 transactions published, but 0 found on the broker"]


def test_past_is_all_there_when_the_worker_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    class BegunError(Exception):
        """The worker begins."""

    happened: list[str] = []

    class Recorder(Publisher):
        def publish(self, topic: str, key: bytes | None, value: bytes, at_ms: int) -> None:
            happened.append(topic)
            super().publish(topic, key, value, at_ms)

        def flush(self) -> None:
            happened.append("flush")
            super().flush()

    def begin(_: WorkerProcess) -> None:
        raise BegunError

    monkeypatch.setattr(the_stage, "Publisher", Recorder)
    monkeypatch.setattr(WorkerProcess, "__enter__", begin)
    with pytest.raises(BegunError), the_stage.stage(1, 20_000, Score(), lambda _: None):
        pass
    # Payments come from another topic than the applications that rest on them, and either may be slower.
    assert {"rates", "customer-events", "transactions"} <= {*happened}
    assert happened[-1] == "flush"
