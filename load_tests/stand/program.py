"""A program under measurement: a process group of its own, its log, its CPU time, and its end."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from load_tests.services.wait import until

_TICKS = os.sysconf("SC_CLK_TCK")
_LAST_WORDS = 3_000
_START_S = 120.0
_END_S = 40.0


class ProgramError(Exception):
    """A program ended, or never said what was waited for; the text carries the end of its log."""


class Program:
    """`command` in a process group of its own, until the block ends. It ends with us, however we end."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log_file = folder / f"{name}.log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],  # noqa: S607 - the system's
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def log(self) -> str:
        """Return all that it said."""
        return self.log_file.read_text(errors="replace")

    def said(self, pattern: str, seconds: float = _START_S) -> re.Match[str]:
        """Wait until its log holds `pattern`.

        Raises:
            ProgramError: it ended before, or took longer.

        """

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.log())
            if found is None:
                self.check()
            return found

        try:
            return until(look, pattern, seconds=seconds)
        except TimeoutError:
            raise ProgramError(f"{self.name} did not say {pattern!r}:\n{self.log()[-_LAST_WORDS:]}") from None

    def never_said(self, pattern: str) -> None:
        """See that its log does not hold `pattern`.

        Raises:
            ProgramError: it does.

        """
        if found := re.search(pattern, self.log()):
            raise ProgramError(f"{self.name} had trouble, so nothing is measured: {found[0]}")

    def check(self) -> None:
        """See that it is alive.

        Raises:
            ProgramError: it is not.

        """
        if not self.alive:
            raise ProgramError(
                f"{self.name} ended with {self.process.returncode}:\n{self.log()[-_LAST_WORDS:]}",
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        if self.alive:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it without a word, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Stop it as an orchestrator does, and return its exit code.

        Raises:
            ProgramError: it does not stop.

        """
        self.send(signal.SIGTERM)
        try:
            return self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            raise ProgramError(f"{self.name} does not stop:\n{self.log()[-_LAST_WORDS:]}") from None

    def cpu_seconds(self) -> float:
        """Return the CPU time of the whole group: all threads, and children that have ended."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:  # ended meanwhile
                continue
            if int(fields[2]) == self.process.pid:
                ticks += sum(map(int, fields[11:15]))
        return ticks / _TICKS

    def resident_bytes(self) -> int:
        """Return the memory that its first process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0


class Team:
    """Several programs that share the work, measured as one."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.name = ", ".join(each.name for each in programs)

    def log(self) -> str:
        """Return all that they said, one after the other."""
        return "\n".join(each.log() for each in self.programs)

    def check(self) -> None:
        """See that all are alive. Raises `ProgramError` when one is not."""
        for each in self.programs:
            each.check()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all of them."""
        for each in self.programs:
            each.send(number)

    def cpu_seconds(self) -> float:
        """Return the CPU time of all of them."""
        return sum(each.cpu_seconds() for each in self.programs)


class Meter:
    """CPU and wall seconds of a program since the meter was made."""

    def __init__(self, program: Program | Team) -> None:
        self._program = program
        self._cpu = program.cpu_seconds()
        self._wall = time.perf_counter()

    def read(self) -> tuple[float, float]:
        """Return (CPU seconds, wall seconds)."""
        return self._program.cpu_seconds() - self._cpu, time.perf_counter() - self._wall
