"""Faust's aiokafka transport, changed in four points: whole batches, committed data, our positions, no loss on seeks.

Each override says which defect of faust-streaming 0.15.3 it answers.
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faust import Topic
from faust.transport import drivers
from faust.transport.drivers import aiokafka as stock
from faust.types import TP, ConsumerMessage, EventT, Message

from agents.engine.engine import engine_of
from agents.log import Log

log = Log("transport")

SCHEME = "tierwatch"
# How long the broker holds a fetch that finds nothing.
LONG_POLL_MS = 100


class Fetched(dict[TP, list[ConsumerRecord]]):
    """Records by partition, the positions after them (control records counted), and the seeks done before."""

    def __init__(self, records: Mapping[TP, list[ConsumerRecord]], positions: dict[TP, int], seeks: int) -> None:
        super().__init__(records)
        self.positions = positions
        self.seeks = seeks


class Fetcher(stock.AIOKafkaConsumerThread):
    """The thread that talks to Kafka. Its coroutines run in its own event loop."""

    seeks = 0

    def _create_worker_consumer(self, transport: stock.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Stock reads committed data under `exactly_once` only, which hangs and crashes (#177, #323, #440, #517).
        consumer._isolation_level = "read_committed"
        # Stock has 1,500 ms, and a long poll in flight delays the seek that follows a recovery.
        consumer._fetch_max_wait_ms = LONG_POLL_MS
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Fetched:
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        return Fetched(cast("dict[TP, list[ConsumerRecord]]", records), self._positions(consumer), self.seeks)

    def _positions(self, consumer: AIOKafkaConsumer) -> dict[TP, int]:
        """Return where the fetch ended: the only way to see that only transaction markers are left (#176, #597)."""
        subscription = consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        if assignment is None:
            return {}
        states = {tp: assignment.state_value(tp) for tp in assignment.tps}
        return {
            TP(*tp): state.position for tp, state in states.items() if state is not None and state.has_valid_position
        }

    async def _seek_wait(self, consumer: AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        self.seeks += 1
        await super()._seek_wait(consumer, partitions)

    async def seek_inputs(self, offsets: Mapping[TP, int | None]) -> dict[TP, tuple[int, int]]:
        """Go to each offset, None: the oldest record; return where each log begins and ends."""
        consumer = self._ensure_consumer()
        partitions = [TopicPartition(*tp) for tp in offsets if TopicPartition(*tp) in consumer.assignment()]
        first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        self.seeks += 1
        for partition in partitions:
            offset = offsets[TP(*partition)]
            consumer.seek(partition, first[partition] if offset is None else offset)
        return {TP(*partition): (first[partition], end[partition]) for partition in partitions}

    async def give_back(self, fetched: Fetched) -> None:
        """Undo a fetch that came when nobody wanted records, unless a seek has done so already."""
        if fetched.seeks != self.seeks:
            return
        consumer = self._ensure_consumer()
        for tp, records in fetched.items():
            if records and tp in consumer.assignment():
                consumer.seek(TopicPartition(*tp), records[0].offset)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # Stock crashes the worker when a group commit fails (driver :815). Ours only show lag; positions are elsewhere.
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        try:
            await consumer.commit({TopicPartition(*tp): offset for tp, offset in offsets.items() if tp in assigned})
        except KafkaError as error:
            log.warning("lag offsets not committed", error=error)
            return False
        return True

    def rejoin(self) -> None:
        """Ask the group for a new assignment. May be called from any thread."""
        self.thread_loop.call_soon_threadsafe(self._ensure_consumer()._coordinator.request_rejoin)

    def positions_and_ends(self) -> dict[TP, tuple[int, int]]:
        """Return, for a display, where each partition is read and where it ends, as far as the last fetch knows."""
        consumer = self._consumer
        subscription = consumer and consumer._subscription.subscription
        assignment = subscription and subscription.assignment
        if assignment is None:
            return {}
        states = {TP(*tp): assignment.state_value(tp) for tp in list(assignment.tps)}
        return {
            tp: (state.position, state.highwater)
            for tp, state in states.items()
            if state is not None and state.has_valid_position and state.highwater is not None
        }


class Consumer(stock.Consumer):
    """One event for each fetched batch of a partition; a message's offset is that of its last record."""

    _thread: Fetcher

    def _new_consumer_thread(self) -> Fetcher:
        return Fetcher(self, loop=self.loop, beacon=self.beacon)

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:
        """Create nothing: Faust does not know our settings, `tierwatch topics create` does."""

    def on_buffer_full(self, tp: TP) -> None:
        """Stay active: stock leaves out partitions under pressure, and sleeps a second when all of them are."""

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
        for tp, records in fetched.items():
            if records and tp.topic not in changelogs and (active is None or tp in active):
                yield tp, self._batch(tp, records, generation)

    def _batch(self, tp: TP, records: list[ConsumerRecord], generation: int) -> Message:
        last = records[-1]
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
        found = await self._thread.call_thread(self._thread.seek_inputs, wanted)
        for tp, (first, end) in found.items():
            # Stock drops what lies before the last offset it read: after a seek that is another one.
            self._read_offset[tp] = None
            self._committed_offset[tp] = None
            engine.check_position(tp.topic, tp.partition, wanted[tp], first, end)

    def _new_offset(self, tp: TP) -> int | None:
        # Stock waits for every offset in between (#606); ours come in whole batches, in order, after their commit.
        acked = self._acked[tp]
        if not acked:
            return None
        highest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return highest + 1

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Keep no gaps: every batch is one, and stock would grow a tree of them."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Judge no partition as stuck: stock goes by acks of single messages; the lag metrics say what is true."""

    def rejoin(self) -> None:
        """Ask the group for a new assignment, and with it for a new recovery."""
        self._thread.rejoin()

    def lag(self) -> dict[TP, int]:
        """Return the records not yet read of each assigned partition, as far as the last fetch knows."""
        ends = self._thread.positions_and_ends()
        return {tp: max(0, end - position) for tp, (position, end) in ends.items()}

    def forget(self, message: Message) -> None:
        """Let a rebalance not wait for a message whose commit failed."""
        self._unacked_messages.discard(message)


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


class Batch:
    """A fetched batch on its way through the engine: see `agents.engine.shard.Delivery`."""

    def __init__(self, event: EventT[Any], consumer: Consumer) -> None:
        self.records = cast("list[ConsumerRecord]", event.value)
        self.partition: int = event.message.partition
        self._event = event
        self._consumer = consumer

    def done(self) -> None:
        """Mark as committed."""
        self._event.ack()

    def forget(self) -> None:
        """Leave it to whoever owns the partition next."""
        self._consumer.forget(self._event.message)


def brokers(addresses: Iterable[str]) -> list[str]:
    """Return the addresses as Faust wants them, with the scheme that leads to this transport."""
    return [f"{SCHEME}://{address}" for address in addresses]


drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
