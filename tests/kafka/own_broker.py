"""A broker of one test's own, which it may stop, kill and start again: the run's broker belongs to everybody."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from load_tests.services.kafka import SHORT_LIVED, Kafka, answers, lay_out
from load_tests.services.run import DiedError
from load_tests.services.wait import until

STARTS = 3


class OwnBroker:
    """A Kafka in a new `folder`, until the block ends; its data stay between two starts.

    `more` are properties beside those of deploy.
    """

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._more = more or {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir()
        for attempt in range(1, STARTS + 1):
            home = self._folder / str(attempt)
            self._command, address = lay_out(home, SHORT_LIVED)
            self.kafka = Kafka(**address)
            self._log = home / "broker.log"
            with (home / "server.properties").open("a") as file:
                file.writelines(f"{key}={value}\n" for key, value in self._more.items())
            if self._started():
                return self
        raise DiedError(self._log.read_text(errors="replace")[-2000:])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it where it was, and return when it answers."""
        # While it was away, a client that looked for it may have been given its port for a moment.
        until(self._started, "the broker to have its port again", seconds=120)

    def _started(self) -> bool:
        """Start it and return whether it answers; it ends by itself when another process has its port."""
        with self._log.open("ab") as log:
            process = self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: process.poll() is not None or answers(self.kafka.bootstrap), "the broker to answer", seconds=120)
        return process.poll() is None

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
