"""Run one service for as long as the test run lives: `python keeper.py RUN_FOLDER SERVICE_FOLDER KEPT COMMAND…`.

A service must end with its run, even when pytest is killed and can no longer end anything. So every service has a
keeper, which watches the run's pipe: its writing end is pytest's alone and closes when pytest ends, however it ends.
"""

import fcntl
import os
import select
import shutil
import subprocess
import sys
import threading
from pathlib import Path

GRACE_S = 10.0


def await_the_end_of(run: Path) -> None:
    """Return when nobody holds the writing end of the run's pipe any more."""
    try:
        pipe = os.open(run / "alive", os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    while True:
        try:
            if os.read(pipe, 1) == b"":
                return
        except BlockingIOError:
            select.select([pipe], [], [])


def keep(run: Path, folder: Path, command: list[str]) -> int:
    """Run `command` in `folder` until it ends or the run does; return its exit code."""
    service = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL)

    def end_with_the_run() -> None:
        await_the_end_of(run)
        service.terminate()
        try:
            service.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            service.kill()

    threading.Thread(target=end_with_the_run, daemon=True).start()
    return service.wait()


def leave(run: Path, kept: int) -> None:
    """Remove the run's folder when this is the last process of the run, pytest included."""
    try:
        fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    exit_code = keep(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[4:])
    leave(Path(sys.argv[1]), int(sys.argv[3]))
    sys.exit(exit_code)
