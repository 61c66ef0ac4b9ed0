"""A broker of a measurement's own, with topics and a folder, gone when the measurement is."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agents import topics
from agents.publisher import Publisher
from agents.settings import Settings
from load_tests.services import kafka
from load_tests.services.kafka import Kafka
from load_tests.services.run import OwnRun, Run
from load_tests.stand.program import Program
from pipeline.record import InputRecord

ROOT = Path(__file__).parents[2]
# A program is stopped while its next load is prepared, and must not be taken for dead meanwhile.
SESSION_S = 120
# Brokers are killed under some loads, and a busy machine starts them slowly.
_PATIENCE_S = 600.0


class Stand:
    """A real broker, and a folder for everything that a measurement leaves."""

    def __init__(self, run: Run, broker: Kafka, partitions: int) -> None:
        self.run = run
        self.broker = broker
        self.partitions = partitions
        self.folder = run.folder / "stand"
        self.folder.mkdir()

    @property
    def address(self) -> str:
        """Where the broker is."""
        return self.broker.bootstrap

    def settings(self, **more: str) -> Settings:
        """Return settings as the environment would give them: `redis="…"` is TIERWATCH_REDIS."""
        return Settings.from_environment(self._environment(more))

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        own = {"broker": self.address, "partitions": str(self.partitions), **more}
        return {f"TIERWATCH_{name.upper()}": text for name, text in own.items()}

    def make_topics(self, *, history: bool) -> None:
        """Make all topics anew, without anything in them."""
        self.broker.clear()
        topics.create(self.settings(), history=history)
        self.broker.await_leaders()

    def fresh(self, name: str) -> Path:
        """Return a folder that nobody has used, for what a program keeps on disk."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def program(self, name: str, command: Iterable[str], **environment: str) -> Program:
        """Start a program that finds the broker in BROKER."""
        clean = {name: text for name, text in os.environ.items() if not name.startswith("TIERWATCH_")}
        given = {"BROKER": self.address, "PYTHONPATH": str(ROOT), **environment}
        return Program(name, list(command), self.folder, clean | given)

    def worker(self, name: str = "worker", module: str = "console", **settings: str) -> Program:
        """Start `tierwatch worker` as a process of its own."""
        own = {"metrics_host": "127.0.0.1", "metrics_port": "0", **settings}
        return self.program(name, [sys.executable, "-m", module, "worker"], **self._environment(own))

    def written_bytes(self) -> int:
        """Return how large the logs of all topics are but those that only processors write."""
        logs = (self.run.folder / "kafka").glob("*/data/*/*.log")
        return sum(log.stat().st_size for log in logs if not log.parent.name.startswith(("transactions", "__")))

    def load(self, records: Iterable[InputRecord]) -> int:
        """Publish records with their own times, and return how many when Kafka has them all."""
        publisher = Publisher({"bootstrap.servers": self.address}, _PATIENCE_S)
        count = 0
        for record in records:
            publisher.publish(record.topic, record.key, record.value or b"", record.timestamp)
            count += 1
        publisher.flush()
        return count


@contextmanager
def stand(partitions: int = 4) -> Iterator[Stand]:
    """Start a broker of our own; everything ends with the block.

    Raises:
        UnavailableError: there is no Java, or Kafka cannot be had; the text says what to do.

    """
    run = OwnRun()
    try:
        yield Stand(run, kafka.start(run), partitions)
    finally:
        run.end()
