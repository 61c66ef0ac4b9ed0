"""A worker is killed or stopped: how soon its partitions decide again, and how fast their states are read."""

import re
import signal
import time
from collections.abc import Iterator
from random import Random
from statistics import median
from typing import Any

from agents.publisher import Publisher
from load_tests.services.wait import until
from load_tests.stand.alerts import Reader, quantile
from load_tests.stand.payments import customer_of, load, purchase
from load_tests.stand.program import Program
from load_tests.stand.rounds import await_last
from load_tests.stand.stand import Stand, stand
from load_tests.stand.tail import Tail
from pipeline.record import InputRecord
from schemas.timestamps import MS_PER_DAY, parse_ms

SESSION_S = 6
_START_MS = parse_ms("2026-03-01T00:00:00Z")
_RECOVERED = re.compile(r"recovered .*?customers=(\d+) records=(\d+) .*?seconds=([\d.]+)")
_READY = "worker ready partitions"
_LONGEST_S = 120.0


def recovery(customers: int, trials: int, seed: int) -> dict[str, Any]:
    """Return what was measured over `trials` kills and as many planned stops, without and with a standby.

    Each customer has paid twice, one round after the other: half of what the changelog holds is superseded.
    """
    with stand() as at:
        return {
            "customers": customers,
            "without_standby": _measured(at, customers, trials, seed, standby=0),
            "with_standby": _measured(at, customers, trials, seed, standby=1),
        }


def _measured(at: Stand, customers: int, trials: int, seed: int, standby: int) -> dict[str, Any]:
    at.make_topics(history=True)
    rng = Random(seed)
    crew = _Crew(at, standby)
    killed_ms: list[float] = []
    stopped_ms: list[float] = []
    try:
        crew.start().said(_READY)
        with Tail(at.address, "decisions") as output:
            for turn in range(2):
                at_ms = _START_MS + turn * MS_PER_DAY
                paid = (
                    purchase(f"t-{turn}-{number}", f"customer-{number}", at_ms + number, rng)
                    for number in range(customers)
                )
                await_last(crew.programs[0], load(at, paid).last, output)
        crew.start().said(_READY)
        with Reader(at.address, "decisions") as reader:
            publisher = Publisher({"bootstrap.servers": at.address})
            for trial in range(2 * trials):
                how, waits_ms = [(signal.SIGKILL, killed_ms), (signal.SIGTERM, stopped_ms)][trial % 2]
                victim = crew.programs.pop(rng.randrange(2))
                began_us = time.time_ns() // 1_000
                victim.send(how)
                for probe in _probes(at.partitions, began_us, rng):
                    publisher.publish(probe.topic, probe.key, probe.value or b"", probe.timestamp)
                publisher.flush()
                waits_ms.append(_slowest(crew, reader, began_us, at.partitions))
                victim.process.wait()
                crew.start().said(_READY)
        told = [(int(each), int(records), float(seconds)) for each, records, seconds in _RECOVERED.findall(crew.log())]
    finally:
        crew.kill()
    killed_ms.sort()
    stopped_ms.sort()
    # Those of a whole partition at least; the others found nearly all in memory.
    whole = [each for each in told if each[0] >= customers // at.partitions * 0.9 and each[2]]
    return {
        "kill_to_decision_p50_ms": quantile(killed_ms, 0.5),
        "kill_to_decision_p90_ms": quantile(killed_ms, 0.9),
        "stop_to_decision_p50_ms": quantile(stopped_ms, 0.5),
        "stop_to_decision_p90_ms": quantile(stopped_ms, 0.9),
        "session_timeout_ms": SESSION_S * 1000,
        "customers_per_s": round(median(each / seconds for each, _, seconds in whole)) if whole else None,
        "changelog_records_per_s": round(median(records / seconds for _, records, seconds in whole)) if whole else None,
    }


class _Crew:
    def __init__(self, at: Stand, standby: int) -> None:
        self._at = at
        self._standby = standby
        self._all: list[Program] = []
        self.programs: list[Program] = []

    def start(self) -> Program:
        worker = self._at.worker(
            f"worker-{self._standby}-{len(self._all)}",
            session_timeout=str(SESSION_S),
            standby_replicas=str(self._standby),
        )
        self._all.append(worker)
        self.programs.append(worker)
        return worker

    def log(self) -> str:
        return "\n".join(each.log() for each in self._all)

    def kill(self) -> None:
        for each in self._all:
            each.kill()


def _probes(partitions: int, due_us: int, rng: Random) -> Iterator[InputRecord]:
    """Yield one payment to every partition, due at that moment."""
    at_ms = _START_MS + 2 * MS_PER_DAY
    for number in range(partitions):
        yield purchase(f"due-{due_us:x}-{number}", customer_of(number, partitions), at_ms, rng)


def _slowest(crew: _Crew, reader: Reader, due_us: int, count: int) -> float:
    """Return how many milliseconds after it was due the last of those payments was decided."""

    def decided() -> list[float]:
        for program in crew.programs:
            program.check()
        waits_ms = reader.latencies_ms(due_us, due_us + 1)
        return waits_ms if len(waits_ms) == count else []

    return until(decided, "every partition to decide again", seconds=_LONGEST_S)[-1]
