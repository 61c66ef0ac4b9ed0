"""The faults: each does its harm, waits, and leaves a house that can work again."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

from confluent_kafka import KafkaException
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from load_tests.chaos.house import SESSION_S, House
from load_tests.stand.program import Program, ProgramError

_CHANGELOGS = ("tierwatch-windows-changelog", "tierwatch-dossiers-changelog", "entitlements")
_COMPACT_NOW = {
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "500",
    "min.cleanable.dirty.ratio": "0.001",
    "segment.ms": "500",
    "delete.retention.ms": "0",
}
_COMPACT_S = 5.0


class Faults:
    """A seeded series of faults: every kind once, in an order of its own, then again."""

    def __init__(self, house: House, seed: int, kinds: list[str] | None = None) -> None:
        self._house = house
        self._rng = Random(seed)
        self._by_name: dict[str, Callable[[], None]] = {
            "kill": self._kill,
            "zombie": self._zombie,
            "pause": self._pause,
            "stop": self._stop,
            "resize": self._resize,
            "broker_kill": self._broker_kill,
            "broker_pause": self._broker_pause,
            "redis_gone": self._redis_gone,
            "compaction": self._compaction,
        }
        self.kinds = kinds or list(self._by_name)
        self.done: Counter[str] = Counter()

    def series(self) -> Iterator[str]:
        """Yield the name of each fault when it is over."""
        rng = self._rng
        while True:
            for name in rng.sample(self.kinds, len(self.kinds)):
                self._wait(0.5, 3.0)
                self._house.bury()
                self._by_name[name]()
                self.done[name] += 1
                yield name

    def _wait(self, least_s: float, most_s: float) -> None:
        time.sleep(self._rng.uniform(least_s, most_s))

    def _somebody(self) -> Program:
        return self._rng.choice(self._house.workers)

    def _kill(self) -> None:
        worker = self._somebody()
        worker.kill()
        self._house.remove(worker)
        self._wait(0.0, 3.0)
        self._house.start_worker()

    def _zombie(self) -> None:
        """Sleep through the session: the others take over, and the sleeper wakes as somebody who owns nothing."""
        worker = self._somebody()
        worker.send(signal.SIGSTOP)
        self._wait(SESSION_S + 1, SESSION_S + 4)
        worker.send(signal.SIGCONT)

    def _pause(self) -> None:
        worker = self._somebody()
        worker.send(signal.SIGSTOP)
        self._wait(0.2, SESSION_S / 2)
        worker.send(signal.SIGCONT)

    def _stop(self) -> None:
        self._end(self._somebody())
        self._wait(0.0, 2.0)
        self._house.start_worker()

    def _resize(self) -> None:
        """From two to three, to one, to two."""
        third = self._house.start_worker()
        third.said(r"worker ready|worker ended|Traceback")
        self._wait(0.5, 3.0)
        self._end(self._somebody())
        worker = self._somebody()
        worker.kill()
        self._house.remove(worker)
        self._wait(SESSION_S, SESSION_S + 3)
        self._house.start_worker()

    def _broker_kill(self) -> None:
        self._house.broker.kill()
        self._wait(0.5, 4.0)
        self._house.restart_broker()

    def _broker_pause(self) -> None:
        self._house.broker.send(signal.SIGSTOP)
        self._wait(1.0, 8.0)
        self._house.broker.send(signal.SIGCONT)

    def _redis_gone(self) -> None:
        self._house.redis.kill()
        self._wait(1.0, 4.0)
        self._house.start_redis()

    def _compaction(self) -> None:
        self._configure(_COMPACT_NOW)
        time.sleep(_COMPACT_S)
        self._configure(None)

    def _end(self, worker: Program) -> None:
        """Stop a worker as an orchestrator does: patiently, then not."""
        self._house.remove(worker)
        try:
            code = worker.stop()
        except ProgramError as error:
            worker.kill()
            self._house.deaths.append(str(error))
        else:
            if code not in {0, -signal.SIGTERM}:  # one that has only begun to start ends by the signal itself
                self._house.deaths.append(f"{worker.name} was stopped and ended with {code}: {worker.log()[-600:]}")

    def _configure(self, settings: dict[str, str] | None) -> None:
        """Set the changelogs' compaction; None takes it back."""
        operation = AlterConfigOpType.SET if settings else AlterConfigOpType.DELETE
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                topic,
                incremental_configs=[
                    ConfigEntry(name, value if settings else None, incremental_operation=operation)
                    for name, value in _COMPACT_NOW.items()
                ],
            )
            for topic in _CHANGELOGS
        ]
        for done in self._house.kafka.admin.incremental_alter_configs(resources).values():
            try:
                done.result()
            except KafkaException as error:
                raise RuntimeError(f"the broker does not compact: {error}") from None
