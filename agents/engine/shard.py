"""One partition number across all co-partitioned topics, while this worker owns it.

Records go in, and what comes out of the pipeline waits for the next commit. One commit is in flight at a time, and
whatever arrives meanwhile makes the next one, so batches grow with the load by themselves.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from agents.engine import positions
from agents.engine.journal import Journal
from agents.engine.pipeline import Pipeline
from agents.engine.positions import Positions
from agents.engine.rows import Rows
from agents.engine.stamps import stamp
from agents.engine.writer import Committed, Writer
from agents.log import Log
from pipeline.record import Message, Record
from pipeline.tally import Tally

log = Log("engine")

# Records judged while a commit is in flight at which no more of a partition are fetched: the log is the better queue.
FULL = 8_000


@dataclass
class Work:
    """What has been taken since the last commit began."""

    messages: list[Message] = field(default_factory=list)
    records: int = 0
    ticked: bool = False
    by_topic: Counter[str] = field(default_factory=Counter)
    # Arrival of the oldest record, epoch milliseconds.
    oldest_ms: int | None = None


@dataclass(frozen=True)
class Commit:
    """What one transaction made durable."""

    shard: "Shard"
    work: Work
    # What was counted while it was done.
    tally: Tally
    seconds: float
    states: int
    # Keys of the windows that changed.
    windows: Collection[bytes]
    broker_ms: int | None


class Host(Protocol):
    """Who runs shards: the engine."""

    @property
    def changelogs(self) -> Mapping[str, str]:
        """The changelog topic of each table."""
        ...

    @property
    def linger(self) -> float:
        """Least seconds between two commits of a shard."""
        ...

    def drained(self) -> None:
        """Take note that a shard has room again."""

    def committed(self, commit: Commit) -> None:
        """Take note of a transaction."""

    def failed(self, shard: "Shard", error: BaseException) -> None:
        """Take note that a shard is dead."""


class Shard:
    """Owner of one partition's state. Everything but `_commit` runs without an await: nothing ever sees half a unit."""

    def __init__(
        self, number: int, pipeline: Pipeline, tables: Mapping[str, Rows], writer: Writer, journal: Journal, host: Host
    ) -> None:
        self.number = number
        self.pipeline = pipeline
        self.tables = tables
        self.positions: Positions = positions.decode(tables["windows"].get(positions.KEY))
        self.committed = dict(self.positions.next)
        """The next offset of each input, as far as it is committed."""
        self.dead = False
        self._writer = writer
        self._journal = journal
        self._host = host
        self._work = Work()
        self._opened = False
        self._task: asyncio.Task[None] | None = None

    @property
    def dirty(self) -> bool:
        """Whether memory is ahead of what is known to be committed."""
        return self.dead or self._task is not None

    @property
    def full(self) -> bool:
        """Whether enough waits for its commit."""
        return self._work.records >= FULL

    def open(self, at_ms: int) -> None:
        """Say in the journal that this partition has a new owner."""
        self._journal.opened(at_ms)
        self._opened = True
        self._go()

    def take(self, fetched: Sequence[Record]) -> None:
        """Judge a fetched batch, whose records of each topic stand in the order of their offsets.

        Raises what the pipeline raises: our own bug, after which this shard is dead.
        """
        ahead = self.positions.next
        # Some may be told again, by a fetch that crossed a seek.
        records = [record for record in fetched if record.offset >= ahead.get(record.topic, 0)]
        if not records:
            return
        work, fetched_ms = self._work, _now_ms()
        made = self.pipeline.take(records)
        stamp(made, fetched_ms, _now_ms())
        work.messages += made
        repeated = set(self.pipeline.repeated)
        for topic, same in groupby(records, key=attrgetter("topic")):
            run = list(same)
            again = [record.offset for record in run if (topic, record.offset) in repeated] if repeated else ()
            self._journal.took(run, again)
            ahead[topic] = run[-1].offset + 1
            work.by_topic[topic] += len(run)
        arrivals = [record.timestamp for record in records]
        self.positions.clock_ms = max(self.positions.clock_ms, *arrivals)
        work.oldest_ms = min(arrivals) if work.oldest_ms is None else min(work.oldest_ms, *arrivals)
        work.records += len(records)
        self._go()

    def tick(self, clock_ms: int) -> None:
        """Let time pass: a unit of work of its own only when that changes something, said or unsaid."""
        messages = self.pipeline.take((), clock_ms)
        if self.pipeline.ticked:
            self._work.messages += messages
            self._work.ticked = True
            self._journal.ticked(clock_ms)
            self._go()

    def publish(self, messages: Sequence[Message], topic: str, next_offset: int) -> None:
        """Publish what a record of a shared topic made, once: a position here says how far that has come."""
        if not self.dead and next_offset > self.positions.next.get(topic, 0):
            self._work.messages += messages
            self.positions.next[topic] = next_offset
            self._go()

    def _go(self) -> None:
        if self._task is None and not self.dead:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._pending() and not self.dead:
                began = time.monotonic()
                await self._commit()
                rest = self._host.linger - (time.monotonic() - began)
                if rest > 0:
                    await asyncio.sleep(rest)
            self._task = None
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - fenced, or nobody knows what is committed
            self.fail(error)

    def _pending(self) -> bool:
        return bool(self._work.records or self._work.messages or self._work.ticked or self._opened)

    async def _commit(self) -> None:
        began = time.monotonic()
        # States, positions and journal belong together: no await until all are taken.
        work, self._work, self._opened = self._work, Work(), False
        changes, tally = self.pipeline.changes(), self.pipeline.tally.drain()
        changed = {"windows": changes.windows, "dossiers": changes.dossiers}
        next_offsets = dict(self.positions.next)
        journal = self._journal.drain(self.number, self.positions.units)
        self.positions.units += len(journal)
        here = self.positions.encode()
        for name, values in changed.items():
            values[positions.KEY] = here
            self.tables[name].change(values)
        changelogs = {self._host.changelogs[name]: values for name, values in changed.items()}
        batches = self._writer.batches(self.number, [*work.messages, *journal], changelogs)
        self._host.drained()

        committed = await self._writer.commit(batches)

        self.committed = next_offsets
        self._remember(committed)
        states = sum(len(values) - 1 for values in changed.values())
        seconds, windows = time.monotonic() - began, changes.windows.keys()
        self._host.committed(Commit(self, work, tally, seconds, states, windows, committed.broker_ms))

    def _remember(self, committed: Committed) -> None:
        for name, rows in self.tables.items():
            rows.applied = committed.last.get((self._host.changelogs[name], self.number), rows.applied)

    def fail(self, error: BaseException) -> None:
        """Trust this memory no more: whoever owns the partition next begins at what was committed."""
        if self.dead:
            return
        self.dead = True
        self._host.failed(self, error)

    def leave(self) -> None:
        """Take and publish nothing more, for the partition is about to be assigned anew; a commit in flight goes on."""
        self.dead = True

    async def settled(self) -> None:
        """Return when everything taken is committed, or cannot be."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """End the commit in flight; what it leaves open, the next owner's fence aborts."""
        self.leave()
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait([task], timeout=5)


def _now_ms() -> int:
    return int(time.time() * 1000)
