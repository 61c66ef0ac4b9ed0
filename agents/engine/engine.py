"""The partitions this worker owns, and their life: fenced, recovered, at work, lost.

Faust tells it when (see `recovery.py`), agents bring it batches. It knows Kafka's rules; it knows nothing of fraud.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, cast

from faust.types import AppT

from agents.engine import clock, journal, positions
from agents.engine.clock import BrokerClock
from agents.engine.hanging import HalfEndedError
from agents.engine.journal import Journal, Seen
from agents.engine.pipeline import Pipeline
from agents.engine.rows import Rows
from agents.engine.shard import Commit, Shard
from agents.engine.watch import Watch
from agents.engine.writer import Writer
from agents.log import Log
from agents.patience import patiently
from agents.permissions import refusal
from pipeline.record import Record

log = Log("engine")

# How long judging one fetch should take: about so long a record of the priority lane waits behind others, and a commit.
TURN_S = 0.05
# Of one fetch, however slow the machine: each fetch costs a turn of its own, and with fewer the log grows meanwhile.
LEAST_RECORDS = 1_000
# How much one batch counts in what a record costs.
_NEWEST = 0.1


class BrokenError(Exception):
    """A unit of work cannot be done: the worker must stop. The text says what to do."""


class Identity(NamedTuple):
    """Who writes: the application's id, how its clients find Kafka, and the topics that messages may go to."""

    app_id: str
    client: Mapping[str, Any]
    topics: tuple[str, ...]


class Engine:
    """All shards of a worker. `live`: arrivals are the broker's time, so the worker's clock may tick.

    `tables` are the partitions held of each table, `new_pipeline` makes a partition's pipeline over its rows, and
    `seen` says what a unit of work at a moment is judged with.
    """

    def __init__(
        self,
        identity: Identity,
        tables: Mapping[str, dict[int, Rows]],
        new_pipeline: Callable[[int, Mapping[str, Rows]], Pipeline],
        seen: Callable[[int], Seen],
        watch: Watch,
        *,
        linger: float = 0.0,
        live: bool = True,
    ) -> None:
        self.shards: dict[int, Shard] = {}
        self.changelogs = {name: f"{identity.app_id}-{name}-changelog" for name in tables}
        self.linger = linger
        self.live = live
        self.broker_clock = BrokerClock()
        # Called with each shard that comes to life.
        self.on_begin: list[Callable[[Shard], None]] = []
        self.on_committed: list[Callable[[Commit], None]] = []
        self.rejoin: Callable[[], None] = lambda: None
        # Called with what trying again does not mend.
        self.give_up: Callable[[BaseException], None] = lambda _: None
        # Records of the priority lane to take for each one of the other lane, where both have a backlog.
        self.priority_weight: Callable[[], int] = lambda: 1
        self._identity = identity
        self._tables = tables
        self._new_pipeline = new_pipeline
        self._seen = seen
        self._watch = watch
        self._writers: dict[int, Writer] = {}
        self._leaving: list[Shard] = []
        self._room = asyncio.Event()
        self._record_s = 0.0
        self._broken = False

    # What Faust tells of a rebalance

    async def settle(self, seconds: float) -> None:
        """Let what was taken be committed, for so long at most; what is not, the next owner aborts and reads again."""
        settling = [asyncio.ensure_future(shard.settled()) for shard in self.shards.values()]
        if settling:
            _, late = await asyncio.wait(settling, timeout=seconds)
            for each in late:
                each.cancel()

    def release(self, assigned: set[int]) -> None:
        """Stop all work at a rebalance; keep in memory what stays assigned and is exactly what was committed."""
        dirty = {number for number, shard in self.shards.items() if shard.dirty}
        for shard in self.shards.values():
            # What it took from now on would change memory that is kept, and might never be committed.
            shard.leave()
            self._leaving.append(shard)
        self.shards = {}
        held = {number for partitions in self._tables.values() for number in partitions}
        for number in held - (assigned - dirty):
            self._forget(number)

    def _forget(self, number: int) -> None:
        for partitions in self._tables.values():
            partitions.pop(number, None)

    async def fence(self, numbers: set[int]) -> None:
        """Open a producer for each partition: from here on nobody else can commit for it."""
        began = time.monotonic()
        await patiently("fencing", lambda: self._fence(numbers))
        if numbers:
            log.info("fenced", partitions=sorted(numbers), seconds=time.monotonic() - began)

    async def _fence(self, numbers: set[int]) -> None:
        await self.close()
        identity, topics = self._identity, (*self._identity.topics, *self.changelogs.values())
        self._writers = {number: Writer(f"{identity.app_id}-{number}", identity.client) for number in sorted(numbers)}
        own = (journal.TOPIC, *self.changelogs.values())
        opening = (writer.open(number, topics, own) for number, writer in self._writers.items())
        # All of them end before another attempt begins: one that is late would fence its own successor.
        for failure in await asyncio.gather(*opening, return_exceptions=True):
            if isinstance(failure, HalfEndedError):
                raise BrokenError(str(failure)) from failure
            if failure is not None:
                raise failure

    def begin(self, numbers: set[int]) -> None:
        """Bring recovered partitions to life.

        Raises:
            BrokenError: the tables are not of one transaction.

        """
        for number in sorted(numbers & self._writers.keys()):
            rows = {name: partitions.setdefault(number, Rows()) for name, partitions in self._tables.items()}
            if len({each.get(positions.KEY) for each in rows.values()}) > 1:
                raise BrokenError(
                    f"partition {number} of the changelogs {', '.join(self.changelogs.values())} does not end with the "
                    "same transaction: one of them was made anew, or has lost its end. Restore it, or delete all of "
                    "them: the state is then made again from the inputs that Kafka still has."
                )
            pipeline = self._new_pipeline(number, rows)
            pipeline.restore(rows["dossiers"].items())
            shard = Shard(number, pipeline, rows, self._writers[number], Journal(self._seen), self)
            self.shards[number] = shard
            if self.live:
                shard.open(_now_ms())
            for tell in self.on_begin:
                tell(shard)

    def next_offset(self, topic: str, number: int) -> int | None:
        """Return where an input goes on, None: at its beginning."""
        shard = self.shards.get(number)
        return None if shard is None else shard.positions.next.get(topic)

    def committed_offset(self, topic: str, number: int) -> int | None:
        """Return the next offset of an input as far as it is committed, for displays of lag."""
        shard = self.shards.get(number)
        return None if shard is None or shard.dead else shard.committed.get(topic)

    def check_position(self, topic: str, number: int, wanted: int | None, first: int, end: int) -> None:
        """See that what comes next is still there.

        Raises:
            BrokenError: the input ends before our position: it is not the topic that the state was made of.

        """
        if wanted is None:
            return
        if wanted > end:
            raise BrokenError(
                f"{topic}[{number}] ends at {end}, but {wanted} records of it are in the state: it was deleted and "
                f"made anew. Delete the changelogs {', '.join(self.changelogs.values())} as well, or restore the topic."
            )
        if wanted < first:
            self._watch.expired(topic, first - wanted)
            log.error("input expired before it was read", topic=topic, partition=number, records=first - wanted)

    def recovering(self, remaining: int) -> None:
        """Take note of a recovery's progress."""
        self._watch.recovering(remaining)

    def recovered(self, records: int, seconds: float) -> None:
        """Take note of its end."""
        self._watch.recovered(records, seconds)

    # What agents bring

    def most_records(self) -> int:
        """Return how many records a fetch may bring: as many as are judged in one turn, at the present cost of each."""
        return max(LEAST_RECORDS, int(TURN_S / self._record_s)) if self._record_s else sys.maxsize

    def is_full(self, number: int) -> bool:
        """Whether a partition has enough to commit: no more of it is fetched, and others go on."""
        shard = self.shards.get(number)
        return shard is not None and shard.full

    async def room(self, seconds: float) -> None:
        """Wait until some partition has room again, or for so long."""
        self._room.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._room.wait(), seconds)

    def take(self, number: int, records: Sequence[Record]) -> None:
        """Do one fetched batch, never an empty one.

        Raises:
            BrokenError: our own bug; nothing of the unit is committed.

        """
        shard = self.shards.get(number)
        if shard is None or shard.dead or self._broken:
            return  # fetched before the partition was lost; its owner reads it again
        began = time.perf_counter()
        try:
            shard.take(records)
        except Exception as error:
            first = records[0]
            self._broken = True
            shard.fail(error)
            raise BrokenError(
                f"a bug of ours at {first.topic}[{first.partition}] in the {len(records)} records from "
                f"offset {first.offset} on: nothing of them is committed, and they stay where they are. Report it with "
                "this log."
            ) from error
        seconds = time.perf_counter() - began
        self._record_s += _NEWEST * (seconds / len(records) - self._record_s)
        self._watch.taken(seconds)

    def tick(self) -> None:
        """Let time pass in every partition: the worker's clock on live topics, else the highest arrival."""
        worker_ms = _now_ms()
        if self.live and not self._believed(worker_ms):
            return
        for shard in list(self.shards.values()):
            if not (shard.dead or self._broken):
                shard.tick(worker_ms if self.live else shard.positions.clock_ms)

    def _believed(self, worker_ms: int) -> bool:
        away_ms = self.broker_clock.away_ms(worker_ms)
        if away_ms is not None and abs(away_ms) > clock.FURTHEST_MS:
            self._watch.tick_refused()
            log.error("tick refused: this machine's clock is wrong", ahead_of_broker_s=away_ms / 1000)
            return False
        return away_ms is not None

    # What shards tell

    def drained(self) -> None:
        """Let the fetcher know that there is room."""
        self._room.set()

    def committed(self, commit: Commit) -> None:
        """Take note of a transaction, and tell who watches."""
        if commit.broker_ms is not None:
            self.broker_clock.hear(commit.broker_ms)
        for hear in (self._watch.committed, *self.on_committed):
            try:
                hear(commit)
            except Exception as error:  # noqa: BLE001 - committed all the same: beginning again would end here again
                log.error("report this as a bug", cause=error, partition=commit.shard.number)  # noqa: TRY400 - with its traceback

    def failed(self, shard: Shard, error: BaseException) -> None:
        """Forget a dead shard's memory and ask for the partition again."""
        if self._broken or self.shards.get(shard.number) is not shard:
            return
        self._forget(shard.number)
        self._watch.failed()
        if (refused := refusal(error)) is not None:
            self.give_up(refused)
            return
        # Fenced, or unknown whether committed: one way out for everything, read again what was committed.
        log.warning("partition given up, rejoining", partition=shard.number, error=f"{type(error).__name__}: {error}")
        self.rejoin()

    async def close(self) -> None:
        """Leave all producers; what is in flight ends or is aborted."""
        leaving, self._leaving = [*self._leaving, *self.shards.values()], []
        writers, self._writers, self.shards = self._writers, {}, {}
        # To its end although another rebalance begins: nobody else knows of these producers any more.
        await asyncio.shield(_leave(leaving, writers.values()))


async def _leave(shards: Iterable[Shard], writers: Iterable[Writer]) -> None:
    await asyncio.gather(*(shard.stop() for shard in shards))
    await asyncio.gather(*(writer.close() for writer in writers))


def _now_ms() -> int:
    return int(time.time() * 1000)


def engine_of(app: AppT) -> Engine:
    """Return an application's engine."""
    engine: Engine = cast("Any", app).engine
    return engine
