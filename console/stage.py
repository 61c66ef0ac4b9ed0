"""The demo's stage: embedded broker, a worker in its own process, a city, and books beside them; all of it ended."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from agents.embedded import EmbeddedBroker
from agents.publisher import Publisher
from console.worker_process import WorkerProcess
from load_tests.city import Approvers, City, trusting_policy
from load_tests.city.score import Score
from load_tests.ledger import Ledger
from load_tests.play import Play
from load_tests.watcher import Watcher
from pipeline.policy.load import default_yaml, load_policy
from schemas.decision import Alert
from schemas.timestamps import MS_PER_DAY


class Stage(NamedTuple):
    """What plays; `end_ms` is when the city's first day ends: now."""

    city: City
    end_ms: int
    publisher: Publisher
    play: Play
    watcher: Watcher
    ledger: Ledger
    worker: WorkerProcess
    metrics_url: str


@contextmanager
def stage(seed: int, transactions: int, score: Score, on_alert: Callable[[Alert], None]) -> Iterator[Stage]:
    """Set up everything for a city whose first day ends now, its past published. Nothing of it outlives the block."""
    yaml = default_yaml()
    approvers = Approvers(load_policy(yaml), seed)
    yaml = trusting_policy(yaml, approvers)
    end_ms = time.time_ns() // 1_000_000
    city = City(load_policy(yaml), approvers, seed=seed, start_ms=end_ms - MS_PER_DAY, transactions=transactions)
    with tempfile.TemporaryDirectory(prefix="tierwatch-demo-") as name, EmbeddedBroker() as broker:
        folder = Path(name)
        policy = folder / "policy.yaml"
        policy.write_bytes(yaml)
        publisher = Publisher({"bootstrap.servers": broker.address, "log_level": "0"})
        for event in city.rates():
            publisher.publish(event.topic, event.key, event.value, event.at_ms)
        publisher.flush()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TIERWATCH_")} | {
            "TIERWATCH_BROKER": broker.address,
            "TIERWATCH_POLICY": str(policy),
            "TIERWATCH_METRICS_HOST": "127.0.0.1",
            "TIERWATCH_METRICS_PORT": "0",
        }
        ledger = Ledger()
        worker = WorkerProcess(environment, folder / "worker.log")
        with closing(Watcher(broker.address, ledger, score, on_alert)) as watcher:
            play = Play(publisher, watcher, ledger, score, worker.check)
            # Months in a moment: only a worker that finds all of it there meets payments and events in their order.
            for event in city.past():
                play.publish(event)
            publisher.flush()
            with worker:
                port = worker.logged(r"metrics served.* port=(\d+)")[1]
                worker.logged(r" ready ")
                url = f"http://127.0.0.1:{port}/metrics"
                yield Stage(city, end_ms, publisher, play, watcher, ledger, worker, url)
