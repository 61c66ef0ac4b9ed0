"""Faust's aiokafka transport, changed in four points: whole batches, committed data, our positions, no loss on seeks.

Each override says which defect of faust-streaming 0.15.3 it answers.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, cast

from aiokafka import ConsumerRecord
from faust import Topic
from faust.transport import drivers
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as stock
from faust.types import TP, ConsumerMessage, EventT, Message

from agents.engine.engine import Engine, engine_of
from agents.engine.fetcher import LEAVING_S, Fetched, Fetcher
from agents.engine.merge import Merge
from agents.patience import patiently
from schemas.topics import INPUT_TOPICS

SCHEME = "tierwatch"
# How long others are waited for while a partition is left out: it may have room before they bring anything.
LOOK_AGAIN_S = 0.02
# How long a fetch may wait: one that began before partitions were given, sought or resumed knows nothing of them.
FETCH_S = 0.1
# How long a rebalance waits for commits in flight.
SETTLING_S = 5.0


class Consumer(stock.Consumer):
    """One event for each fetched batch of a partition; a message's offset is that of its last record."""

    _thread: Fetcher
    _merging: int | None = None
    _merges: dict[int, Merge[ConsumerRecord]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._merges = {}

    def _new_consumer_thread(self) -> Fetcher:
        return Fetcher(self, loop=self.loop, beacon=self.beacon)

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """Create nothing: Faust does not know our settings, `tierwatch topics create` does."""

    def on_buffer_full(self, tp: TP) -> None:
        """Stay active: stock goes by its queues, and sleeps a second when all are under pressure; see `_getmany`."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Stay active."""

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Yield what one fetch brought: changelogs go to their tables here, inputs to their agents."""
        # Stock wraps each record: 57% of its cost per record is one `wait_first` for each.
        generation = self.app.consumer_generation_id
        fetched, active = await self._wait_next_records(timeout)
        if not isinstance(fetched, Fetched) or self.should_stop:
            return
        if not self.flow_active or generation != self.app.consumer_generation_id or fetched.seeks != self._thread.seeks:
            # Stock seeks to the group's offsets here: it loses changelog records, and our inputs are elsewhere.
            await self._thread.call_thread(self._thread.give_back, fetched)
            return
        changelogs = self.app.tables.changelog_topics
        restored = {tp: records for tp, records in fetched.items() if tp.topic in changelogs and records}
        cast("Any", self.app.tables).recovery.on_fetched(restored, fetched.positions)
        inputs = {
            tp: records
            for tp, records in fetched.items()
            if records and tp.topic not in changelogs and (active is None or tp in active)
        }
        for tp, records in inputs.items() if engine_of(self.app).live else self._merged(inputs, fetched, generation):
            yield tp, self._batch(tp, records, generation)

    def _merged(
        self, inputs: Mapping[TP, list[ConsumerRecord]], fetched: Fetched, generation: int
    ) -> Iterator[tuple[TP, list[ConsumerRecord]]]:
        """Return the records whose turn it is, topics mixed, under the topic of the first."""
        if generation != self._merging:  # what was held belongs to another assignment, and is fetched again
            self._merging, self._merges = generation, {}
        for tp, records in inputs.items():
            self._merges.setdefault(tp.partition, Merge(INPUT_TOPICS)).hold(tp.topic, records)
        for number, merge in self._merges.items():
            if records := merge.release(fetched.ended(number)):
                yield TP(records[0].topic, number), records

    async def _wait_next_records(self, timeout: float) -> tuple[RecordMap | None, set[TP] | None]:
        # Stock sleeps a second where no partition is active, as between a recovery and the inputs it is for.
        if not self.flow_active:
            await self.wait(cast("Any", self.can_resume_flow))
        active = self._get_active_partitions()
        if not active:
            await self.sleep(LOOK_AGAIN_S)
            return {}, active
        return await self._getmany(active, min(timeout, FETCH_S)), active

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:
        # A partition of which enough is held or uncommitted waits; aiokafka keeps one fetch of it and asks for no more.
        engine, active = engine_of(self.app), active_partitions or set()
        waiting = {tp for tp in active if self._waits(tp, engine)}
        if waiting and waiting == active:
            await engine.room(timeout)
            return {}
        self._thread.recovering = not engine.shards
        self._thread.most_records = engine.most_records() if engine.shards else sys.maxsize
        self._thread.priority_weight = engine.priority_weight() if engine.live else 0
        return await super()._getmany(active - waiting, min(timeout, LOOK_AGAIN_S) if waiting else timeout)

    def _waits(self, tp: TP, engine: Engine) -> bool:
        if tp.topic not in INPUT_TOPICS:
            return False
        merge = self._merges.get(tp.partition)
        return engine.is_full(tp.partition) or (merge is not None and merge.full(tp.topic))

    def _batch(self, tp: TP, records: list[ConsumerRecord], generation: int) -> Message:
        last = next(record for record in reversed(records) if record.topic == tp.topic)
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000,
            timestamp_type=last.timestamp_type,
            headers=None,
            key=None,
            value=cast("Any", records),
            checksum=None,
            tp=tp,
            time_in=time.monotonic(),
            generation_id=generation,
        )

    async def perform_seek(self) -> None:
        """Resume every input where the state says, never at the group's offsets: those are committed apart."""
        engine = engine_of(self.app)
        inputs = [tp for tp in self.assignment() if tp.topic not in self.app.tables.changelog_topics]
        wanted = {tp: engine.next_offset(tp.topic, tp.partition) for tp in inputs}
        seek = self._thread.seek_inputs
        found = await patiently("seeking inputs", lambda: self._thread.call_thread(seek, wanted))
        for tp, (first, end) in found.items():
            # Stock drops what lies before the last offset it read: after a seek that is another one.
            self._read_offset[tp] = None
            self._committed_offset[tp] = None
            engine.check_position(tp.topic, tp.partition, wanted[tp], first, end)

    async def wait_empty(self) -> None:
        """Wait for commits, and not for ever: stock waits until every message is acknowledged that anybody holds."""
        engine = engine_of(self.app)
        await engine.settle(SETTLING_S)
        await self.commit_and_end_transactions()
        if self.app.should_stop:
            # Stock leaves the group at its very end: whoever takes over would wait for all that stops before.
            engine.release(set())
            # A thread that has crashed answers no more, and one that is ending cancels what it was asked.
            leaving = asyncio.ensure_future(self._thread.call_thread(self._thread.leave))
            await asyncio.wait([leaving], timeout=2 * LEAVING_S)
            if leaving.done() and not leaving.cancelled():
                leaving.result()
            leaving.cancel()

    def _filter_tps_with_pending_acks(self, topics: object = None) -> Iterator[TP]:
        # Stock goes by acks of single messages and waits for every offset in between (#606).
        return (tp for tp in self.assignment() if tp.topic in INPUT_TOPICS)

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        offsets = {tp: engine_of(self.app).committed_offset(tp.topic, tp.partition) for tp in tps}
        return {tp: offset for tp, offset in offsets.items() if offset and offset != self._committed_offset[tp]}

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Keep no gaps: every batch is one, and stock would grow a tree of them."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Judge no partition as stuck: stock goes by acks of single messages; the lag metrics say what is true."""

    @property
    def thread_loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the thread that talks to Kafka."""
        return self._thread.thread_loop

    def rejoin(self) -> None:
        """Ask the group for a new assignment, and with it for a new recovery."""
        self._thread.rejoin()

    def lag(self) -> dict[TP, int]:
        """Return the records not yet read of each assigned partition, as far as the last fetch knows."""
        return {tp: place.left for tp, place in self._thread.places().items() if place.left is not None}

    def owned(self) -> set[int] | None:
        """Return the partitions of customers that the group has given to this worker, None: it has not said yet."""
        assigned = self._thread.assigned()
        return None if assigned is None else {tp.partition for tp in assigned if tp.topic in INPUT_TOPICS}

    def silent_s(self) -> float:
        """Return for how many seconds no broker has answered."""
        return self._thread.silent_s()


class Transport(stock.Transport):
    """Registered with Faust under the scheme `tierwatch://`."""

    Consumer = Consumer


class BatchTopic(Topic):
    """A topic whose events carry the records of one fetched batch, undecoded: bad input is the pipeline's to name."""

    async def decode(self, message: Message, *, propagate: bool = False) -> EventT[Any]:
        """Wrap, and never fail: stock acks an event that it cannot decode."""
        return self._create_event(None, message.value, None, message=message)

    async def maybe_declare(self) -> None:
        """Declare nothing: see `Consumer.create_topic`."""


def brokers(addresses: Iterable[str]) -> list[str]:
    """Return the addresses as Faust wants them, with the scheme that leads to this transport."""
    return [f"{SCHEME}://{address}" for address in addresses]


drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
