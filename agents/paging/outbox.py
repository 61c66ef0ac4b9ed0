"""What one receiver has still to hear: a thread of its own, so that one that is dead delays nobody else."""

import threading
import time
from collections.abc import Callable, Sequence

from agents.log import Log
from agents.paging.post import RefusedError, UnheardError
from agents.paging.receivers import Receiver
from pipeline.cases.notice import Notice

log = Log("pager")

SHORTEST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
# After so long without taking anything a receiver is dead, and the others hear of that.
DEAD_S = 30.0

Outcome = str
Counted = Callable[[Receiver, Sequence[Notice], Outcome], None]


class Outbox:
    """Newest notice by key, until the receiver has it. `done` hears of each turn: `taken`, `failed` or `refused`."""

    def __init__(self, receiver: Receiver, done: Counted) -> None:
        self.receiver = receiver
        self._done = done
        self._waiting: dict[str, Notice] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._failing_since: float | None = None
        self._took = False
        self._pause_s = SHORTEST_PAUSE_S
        self._thread = threading.Thread(target=self._run, name=receiver.name, daemon=True)
        self._thread.start()

    @property
    def dead(self) -> bool:
        """Whether it has taken nothing for too long while there was something to take."""
        since = self._failing_since
        return since is not None and time.monotonic() - since >= DEAD_S

    @property
    def well(self) -> bool:
        """Whether it took what it was told last; nobody knows before it was told anything."""
        return self._took and self._failing_since is None

    def put(self, notice: Notice) -> None:
        """Tell it as soon as it listens."""
        with self._changed:
            self._waiting[notice.key] = notice
            self._changed.notify()

    def waiting(self) -> int:
        """Return how many notices it has not taken."""
        with self._changed:
            return len(self._waiting)

    def stop(self) -> None:
        """Return after the turn that is at work."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if self._stopping:
                    return
                batch = list(self._waiting.values())[: self.receiver.at_once]
            pause_s = self._turn(batch)
            if pause_s:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, pause_s)

    def _turn(self, batch: Sequence[Notice]) -> float:
        """Try once; return for how long to leave it alone."""
        try:
            self.receiver.tell(batch)
        except UnheardError as error:
            return max(self._failed(batch, str(error)), error.retry_after_s)
        except RefusedError as error:
            # To send the same again is pointless, and what waits behind it must not suffer.
            log.error("a receiver refuses cases", receiver=self.receiver.name, why=error)  # noqa: TRY400 - ours
            self._forget(batch, "refused")
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the thread: others hear of a dead receiver
            log.error("report this as a bug", receiver=self.receiver.name, cause=error)  # noqa: TRY400 - with its traceback
            return self._failed(batch, type(error).__name__)
        else:
            if self._failing_since is not None:
                log.info("a receiver takes cases again", receiver=self.receiver.name)
            self._took = True
            self._forget(batch, "taken")
        self._failing_since, self._pause_s = None, SHORTEST_PAUSE_S
        return 0.0

    def _failed(self, batch: Sequence[Notice], why: str) -> float:
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            log.error("a receiver does not take cases", receiver=self.receiver.name, cases=len(batch), why=why)
        self._done(self.receiver, batch, "failed")
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, LONGEST_PAUSE_S)
        return pause_s

    def _forget(self, batch: Sequence[Notice], outcome: Outcome) -> None:
        with self._changed:
            for notice in batch:
                if self._waiting.get(notice.key) is notice:
                    del self._waiting[notice.key]
        self._done(self.receiver, batch, outcome)
