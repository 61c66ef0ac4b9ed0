"""One test run: the folder that all its processes share, and the services it started.

Under xdist, pytest is several processes. Whoever first needs a service starts it, the others find its address in the
folder, and the controller ends them all. Two runs side by side have two folders and never meet.
"""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from load_tests.services import keeper
from load_tests.services.need import UnavailableError, locked
from load_tests.services.wait import until

Address = dict[str, str]


class DiedError(Exception):
    """A service ended before it was ready; the text carries the end of its log."""


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that nobody uses at this moment, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Run:
    """The shared side of a run: any of its processes may ask for a service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keepers: list[subprocess.Popen[bytes]] = []

    def once(self, name: str, start: Callable[[Path], Address]) -> Address:
        """Return the address of the service `name`; the first process that asks starts it with `start(its folder)`.

        What made a start impossible is kept as well: nobody waits for the same failure twice.
        """
        said = self.folder / f"{name}.json"
        with locked(self.folder / f"{name}.lock"):
            if not said.exists():
                own = self.folder / name
                own.mkdir()
                try:
                    answer = {"address": start(own)}
                except UnavailableError as error:
                    answer = {"unavailable": {"reason": str(error)}}
                said.write_text(json.dumps(answer))
        answer = json.loads(said.read_text())
        if "unavailable" in answer:
            raise UnavailableError(answer["unavailable"]["reason"])
        return dict(answer["address"])

    def spawn(self, folder: Path, command: list[str], ready: Callable[[], bool], *, seconds: float = 60.0) -> None:
        """Start `command` in `folder`, to live as long as the run, and return when `ready()`.

        Its output goes to `folder/log`. Raises `DiedError` when it ends first, `TimeoutError` when it is never ready.
        """
        log = folder / "log"
        kept = _share(self.folder / "kept")
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [sys.executable, keeper.__file__, str(self.folder), str(folder), str(kept), *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=[kept],  # and the lock with it
                    start_new_session=True,  # Ctrl-C is for pytest; the keeper hears of the end through the pipe
                )
        finally:
            os.close(kept)
        self._keepers.append(process)

        def ready_or_dead() -> bool:
            if process.poll() is not None:
                last_words = log.read_text(errors="replace")[-2000:]
                message = f"{command[0]} ended with {process.returncode} before it was ready:\n{last_words}"
                raise DiedError(message)
            return ready()

        until(ready_or_dead, f"{Path(command[0]).name} to be ready (its log: {log})", seconds=seconds)


class OwnRun(Run):
    """The controller's side: opens the run and ends it."""

    def __init__(self) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="tierwatch-")))
        os.mkfifo(self.folder / "alive")
        self._alive = os.open(self.folder / "alive", os.O_RDWR)
        self._kept = _share(self.folder / "kept")

    def end(self) -> None:
        """End every service, wait until all have left, and remove the folder."""
        os.close(self._alive)
        until(lambda: _locks_alone(self._kept), "the services to end", seconds=keeper.GRACE_S + 5)
        os.close(self._kept)
        for each in self._keepers:
            each.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _share(path: Path) -> int:
    """Open `path` with a shared lock: who can lock it alone knows that pytest and all keepers have left."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _locks_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
