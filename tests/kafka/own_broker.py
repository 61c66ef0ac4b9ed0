"""A broker of one test's own, which it may stop, kill and start again: the run's broker belongs to everybody."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from load_tests.services.kafka import Kafka, answers, lay_out
from load_tests.services.wait import until


class OwnBroker:
    """A Kafka in a new `folder`, until the block ends; its data stay between two starts.

    `more` are properties beside those of deploy.
    """

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self._command, address = lay_out(folder)
        self.kafka = Kafka(**address)
        self._log = folder / "broker.log"
        with (folder / "server.properties").open("a") as file:
            file.writelines(f"{key}={value}\n" for key, value in (more or {}).items())
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and return when it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: answers(self.kafka.bootstrap), "the broker to answer", seconds=120)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
