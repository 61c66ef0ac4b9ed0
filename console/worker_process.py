"""A worker in a process of its own, for the demo: started, watched, and always ended."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_START_SECONDS = 60
_STOP_SECONDS = 30
_LAST_LINES = 15


class WorkerDiedError(Exception):
    """The worker ended by itself; the message holds the last lines of its log."""


class WorkerProcess:
    """`tierwatch worker` with this environment, its log in `log`; a context that ends it, whatever happens."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            # A session of its own: Ctrl-C reaches us alone, and we end the worker when its last records are read.
            self._process = subprocess.Popen(
                # -P: a folder `console` where the person happens to stand is not ours.
                [sys.executable, "-P", "-m", "console", "worker"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def logged(self, pattern: str) -> re.Match[str]:
        """Wait until a line of its log holds `pattern`, and return where.

        Raises:
            WorkerDiedError: it ended before, or does not come so far.

        """
        end = time.monotonic() + _START_SECONDS
        while (found := re.search(pattern, self._log.read_text(errors="replace"))) is None:
            self.check()
            if time.monotonic() > end:
                raise WorkerDiedError(f"the worker does not start; the end of its log:\n{self.log_tail()}")
            time.sleep(0.05)
        return found

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            WorkerDiedError: it does not.

        """
        code = self._process.poll() if self._process else None
        if code is not None:
            raise WorkerDiedError(f"the worker ended with exit code {code}; the end of its log:\n{self.log_tail()}")

    def stop(self) -> None:
        """Ask it to finish what it has begun, and wait until it has ended.

        Raises:
            WorkerDiedError: it would not end, or ended with an error.

        """
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise WorkerDiedError(f"the worker did not stop within {_STOP_SECONDS} s:\n{self.log_tail()}") from None
        if code != 0:
            raise WorkerDiedError(f"the worker stopped with exit code {code}; the end of its log:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
