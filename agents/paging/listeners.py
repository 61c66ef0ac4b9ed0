"""Those who are told: an outbox for each, which of them are dead, and the page about that to the others."""

import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from agents.paging.measure import PagerMetrics
from agents.paging.outbox import Outbox
from agents.paging.pages import Pages
from agents.paging.receivers import NOT_KNOWN, Receiver
from pipeline.cases.notice import RECEIVER_NAME, Notice, again
from pipeline.cases.storm import receiver_key
from schemas.case_page import CasePage
from schemas.timestamps import MS_PER_DAY

# Prometheus repeats what fires at its rules' interval, which is a minute here.
AGAIN_S = 60.0


class Done(NamedTuple):
    """What became of notices at one receiver: `taken`, `failed` or `refused`."""

    receiver: str
    notices: Sequence[Notice]
    outcome: str


class Listeners:
    """All receivers of one pager, until the block ends."""

    def __init__(self, receivers: Sequence[Receiver], pages: Pages, metrics: PagerMetrics) -> None:
        """Start their outboxes."""
        self._pages = pages
        self._metrics = metrics
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        # Of whom we told the others ourselves: whoever told them before us may have died on the way.
        self._told_dead: set[str] = set()
        # What is not over, for those who forget.
        self._standing: dict[str, Notice] = {}
        self._again_at = time.monotonic() + AGAIN_S
        self._outboxes = [Outbox(receiver, self._heard) for receiver in receivers]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for outbox in self._outboxes:
            outbox.stop()

    def __len__(self) -> int:
        return len(self._outboxes)

    def wanting(self, notice: Notice, before: CasePage | None) -> list[str]:
        """Return who has to hear of it, by what was told of the same thing `before`."""
        receivers = [outbox.receiver for outbox in self._outboxes]
        return [each.name for each in receivers if each.wants(notice, _heard_by(each.name, before))]

    @property
    def names(self) -> list[str]:
        """Who they are."""
        return [outbox.receiver.name for outbox in self._outboxes]

    def tell(self, notice: Notice, names: Sequence[str]) -> None:
        """Hand a notice to these, and again to those of them who forget."""
        for outbox in self._outboxes:
            if outbox.receiver.name in names:
                outbox.put(notice)
                if outbox.receiver.forgets:
                    self._remember(notice)

    def remind(self, notice: Notice) -> None:
        """Hand what was told before this process began to those who may have forgotten it."""
        self.tell(notice, [outbox.receiver.name for outbox in self._outboxes if outbox.receiver.forgets])

    def forget(self, keys: Iterable[str]) -> None:
        """Leave it to somebody else to tell of these again."""
        for key in keys:
            self._standing.pop(key, None)

    def done(self) -> Iterator[Done]:
        """Yield what became of notices since the last time."""
        while not self._done.empty():
            yield self._done.get()

    def look(self) -> None:
        """See who is dead and who is back, and let the others know; tell again those who forget."""
        if time.monotonic() >= self._again_at:
            self._tell_again()
        for outbox in self._outboxes:
            name = outbox.receiver.name
            self._metrics.counted("receiver_up", (name,), 0 if outbox.dead else 1)
            self._metrics.counted("notices_waiting", (name,), outbox.waiting())
            if outbox.dead and name not in self._told_dead:
                self._told_dead.add(name)
                self._pages.dead.add(name)
                self._tell_others(name, over=False)
            elif outbox.well and name in self._pages.dead:  # also of whoever was dead before this process began
                self._told_dead.discard(name)
                self._pages.dead.discard(name)
                self._tell_others(name, over=True)

    def _remember(self, notice: Notice) -> None:
        if notice.state == "over":
            self._standing.pop(notice.key, None)
        else:
            self._standing[notice.key] = notice

    def _tell_again(self) -> None:
        self._again_at, now_ms = time.monotonic() + AGAIN_S, int(time.time() * 1000)
        told, self._standing = self._standing, {}
        for notice in (again(each, now_ms) for each in told.values()):
            if notice is not None:
                self.remind(notice)

    def _tell_others(self, name: str, *, over: bool) -> None:
        notice = _dead(name, int(time.time() * 1000), over=over)
        self._pages.write_notice(notice, receiver_key(name))
        self.tell(notice, [other for other in self.names if other != name])

    def _heard(self, receiver: Receiver, notices: Sequence[Notice], outcome: str) -> None:
        """Called by the outboxes' threads."""
        self._done.put(Done(receiver.name, notices, outcome))


def _heard_by(name: str, before: CasePage | None) -> str:
    if before is None:
        return ""
    return before.said if name in before.receivers else NOT_KNOWN


def _dead(name: str, now_ms: int, *, over: bool) -> Notice:
    return Notice(
        key=name,
        name=RECEIVER_NAME,
        state="over" if over else "open",
        loudness="page",
        summary=f"{name} takes no cases: who is paged through it hears nothing",
        description="dashboards/runbooks/TierwatchReceiverSilent.md",
        queue="all",
        since_ms=now_ms,
        until_ms=now_ms if over else now_ms + MS_PER_DAY,
    )
