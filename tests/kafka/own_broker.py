"""A broker of one test's own, which it may stop, kill and start again: the run's broker belongs to everybody."""

import signal
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from load_tests.services.kafka import PASSWORD, USERNAME, Kafka, _answers, _properties, jars, java
from load_tests.services.run import free_ports
from load_tests.services.wait import until


class OwnBroker:
    """A Kafka until the block ends; its data stay between two starts. `more` are properties beside those of deploy."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        plain, sasl, controller = (f"127.0.0.1:{port}" for port in free_ports(3))
        self.kafka = Kafka(plain, sasl, USERNAME, PASSWORD)
        self._folder = folder
        self._properties = _properties(folder, plain, sasl, controller)
        with self._properties.open("a") as file:
            file.writelines(f"{key}={value}\n" for key, value in (more or {}).items())
        self._base = [java(), "-cp", f"{jars()}/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        cluster = ["--cluster-id", uuid.uuid4().hex[:22], "--config", str(self._properties)]
        command = [*self._base, "kafka.tools.StorageTool", "format", *cluster]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._base, "-Xms192m", "-Xmx512m", "-XX:+UseSerialGC", "kafka.Kafka", str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(lambda: _answers(self.kafka.bootstrap), "the broker to answer", seconds=120)

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
