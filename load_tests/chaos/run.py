"""A house that decides while its processes are killed, paused, stopped and restarted: is every record decided once?"""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from load_tests.chaos.faults import Faults
from load_tests.chaos.house import House
from load_tests.chaos.judge import Verdict
from load_tests.chaos.progress import Progress
from load_tests.chaos.traffic import Traffic
from load_tests.month import Month
from load_tests.services.run import OwnRun, Run
from load_tests.services.wait import until
from load_tests.stand.stand import ROOT
from pipeline.record import InputRecord
from schemas.topics import TRANSACTION_TOPICS

PARTITIONS = 4
_SETTLE_S = 300.0
_VERDICT = msgspec.json.Decoder(Verdict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run shall be: so many records on the lanes, at `rate` a second.

    With `history`, nothing but transactions with their own times, each customer in one lane: what comes out must also
    be what an undisturbed run makes. `kinds` are the faults, None: all; `module` is what workers are started with.
    Where something goes wrong or a worker ends by itself, `keep` becomes a copy of the house: its logs and topics.
    """

    transactions: int
    seed: int
    rate: int = 5_000
    history: bool = False
    kinds: list[str] | None = None
    keep: Path | None = None
    module: str = "console"
    workers: int = 2


def chaos(plan: Plan) -> dict[str, Any]:
    """Break things while transactions are decided, and return what the judge says.

    Raises:
        UnavailableError: something that is needed cannot be had; the text says what to do.

    """
    run = OwnRun()
    try:
        return _chaos(run, plan)
    finally:
        run.end()


def _chaos(run: Run, plan: Plan) -> dict[str, Any]:
    began = time.monotonic()
    traffic = (_History if plan.history else Traffic)(plan.transactions, plan.seed)
    policy = run.folder / "policy.yaml"
    policy.write_bytes(traffic.policy_yaml)
    house = House(run, PARTITIONS, policy, plan.module)
    try:
        house.stand.make_topics(history=plan.history)
        for _ in range(plan.workers):
            house.start_worker()
        for worker in list(house.workers):
            worker.said(r"worker ready partitions")
        faults = Faults(house, plan.seed, plan.kinds)
        loaded = _break_while_loading(house, traffic.records(), plan.rate, faults)
        settled = _settles(house)
        house.end()
        verdict = _judge(house, policy.as_posix(), history=plan.history)
        if plan.keep is not None and (house.deaths or not (verdict.clean and settled)):
            shutil.copytree(run.folder, plan.keep, dirs_exist_ok=True)
        return {
            **msgspec.to_builtins(verdict),
            "loaded": loaded,
            "settled": settled,
            "faults": faults.done.total(),
            "faults_of_each_kind": dict(sorted(faults.done.items())),
            "workers_ended_by_themselves": house.deaths,
            "seconds": round(time.monotonic() - began),
        }
    finally:
        house.kill()


class _History:
    """A month of payments on two lanes, by customer."""

    def __init__(self, transactions: int, seed: int) -> None:
        self._month = Month(transactions, seed)
        self.policy_yaml = self._month.policy_yaml

    def records(self) -> Iterator[InputRecord]:
        """Yield them by their times."""
        for record in self._month.payments():
            lane = TRANSACTION_TOPICS[(record.key or b"")[-1] % len(TRANSACTION_TOPICS)]
            yield record._replace(topic=lane)


class _Loader(threading.Thread):
    """Publishes at a steady rate, and waits where the broker does."""

    def __init__(self, house: House, records: Iterator[InputRecord], rate: int) -> None:
        super().__init__(daemon=True)
        self._stand = house.stand
        self._records = records
        self._rate = rate
        self.count = 0
        self.failed: Exception | None = None

    def run(self) -> None:
        """Publish all."""
        try:
            self.count = self._stand.load(self._paced())
        except Exception as error:  # noqa: BLE001 - told where the run waits for us
            self.failed = error

    def _paced(self) -> Iterable[InputRecord]:
        due = time.monotonic()
        step = max(1, self._rate // 50)
        while records := list(islice(self._records, step)):
            yield from records
            due = max(due + step / self._rate, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))


def _break_while_loading(house: House, records: Iterator[InputRecord], rate: int, faults: Faults) -> int:
    """Break until all is published, and every kind of fault was met."""
    loader = _Loader(house, records, rate)
    loader.start()
    for name in faults.series():
        print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
        if loader.failed is not None:
            raise loader.failed
        if not loader.is_alive() and len(faults.done) == len(faults.kinds):
            break
    return loader.count


def _settles(house: House) -> bool:
    """Return whether everything that was published is taken in the end; the judge says what is missing."""

    def complete() -> bool:
        house.bury()
        return progress.complete()

    try:
        with Progress(house.kafka.bootstrap, house.stand.partitions) as progress:
            return until(complete, "the house to take everything", seconds=_SETTLE_S)
    except TimeoutError:
        return False


def _judge(house: House, policy: str, *, history: bool) -> Verdict:
    command = [sys.executable, "-m", "load_tests.chaos.judge", house.kafka.bootstrap, policy]
    command += ["--undisturbed"] if history else []
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if not done.stdout:
        raise RuntimeError(f"the judge could not judge:\n{done.stderr[-2000:]}")
    return _VERDICT.decode(done.stdout)
