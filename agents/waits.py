"""Where everything in this process waits: the first thing to know of a worker that does not go on.

Told in the log at SIGUSR2, and by itself when a rebalance takes longer than any should.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

from agents.log import Log

log = Log("waits")

# So long nothing may change while a worker waits: the group waits for its slowest member a minute at most.
STANDS_S = 90.0


def tell_on_signal(loops: Iterable[asyncio.AbstractEventLoop]) -> None:
    """Tell at SIGUSR2, also when an event loop hangs. To be called by the main thread."""
    known = list(loops)

    def told(_number: int, frame: FrameType | None) -> None:
        tell(known, frame)

    signal.signal(signal.SIGUSR2, told)


class Standstill:
    """Tells it all, once, when a worker that should come on does not."""

    def __init__(self, loops: Iterable[asyncio.AbstractEventLoop]) -> None:
        self._loops = list(loops)
        self._seen: tuple[object, ...] = ()
        self._since = 0.0
        self._told = False

    def look(self, waits_for: str, came: object, now_s: float) -> None:
        """See what it waits for, "": nothing, and how far it came; to be called again and again."""
        if not waits_for or self._seen != (waits_for, came):
            self._seen, self._since, self._told = (waits_for, came), now_s, False
        elif not self._told and now_s - self._since >= STANDS_S:
            self._told = True
            log.warning("nothing comes on: send the lines that follow with your report", waits_for=waits_for)
            tell(self._loops)


def tell(loops: Iterable[asyncio.AbstractEventLoop], here: FrameType | None = None) -> None:
    """Log a line for each thread and each task of these loops; `here` is where the calling thread was."""
    frames = sys._current_frames()  # noqa: SLF001 - there is no other way to see other threads
    for thread in threading.enumerate():
        own = here if thread is threading.current_thread() else frames.get(thread.ident or 0)
        log.warning("a thread is at", thread=thread.name, at=" > ".join(reversed([_place(f) for f in _callers(own)])))
    for loop in loops:
        for task in asyncio.all_tasks(loop):
            log.warning("a task waits at", task=task.get_name(), at=" > ".join(_chain(task.get_coro())))


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _chain(awaited: object) -> Iterator[str]:
    """Yield where a coroutine stands, what it awaits, what that awaits, down to a future."""
    while awaited is not None:
        for kind in ("cr", "gi", "ag"):
            frame = getattr(awaited, f"{kind}_frame", None)
            if frame is not None:
                yield _place(frame)
                awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
                break
        else:
            yield type(awaited).__name__
            return


def _place(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{frame.f_lineno} {frame.f_code.co_name}"
