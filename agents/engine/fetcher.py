"""The thread that talks to Kafka: Faust's, reading committed data, telling where it is, and losing nothing on seeks.

Each override says which defect of faust-streaming 0.15.3 it answers.
"""

import asyncio
import math
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition, conn
from aiokafka.consumer import fetcher as unpacking
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as stock
from faust.types import TP

from agents.engine.fetched import PartitionRecords
from agents.log import Log
from agents.patience import connect

log = Log("fetcher")

# For all consumers of this process.
unpacking.PartitionRecords = PartitionRecords
# aiokafka stops reading at 128 KB and begins again at once, each time: an answer is unpacked when all of it is here.
conn.READER_LIMIT = 16 * 2**20

# How long the broker holds a fetch that finds nothing; and while records of other partitions lie here unread, for what
# is read up meanwhile cannot be asked for until it returns.
LONG_POLL_MS = 100
SHORT_POLL_MS = 25
# Of a partition in one fetch of a recovery: each is asked for when all records of the one before are unpacked.
RECOVERY_BYTES = 4 * 2**20
PRIORITY = "transactions-priority"
# How long the group may take to note how far inputs were read.
COMMITTING_S = 2.0
# And until a member that leaves is let go: one that waits for its part of the group cannot leave before.
LEAVING_S = 2.0


Records = dict[TP, list[ConsumerRecord]]


class Fetched(dict[TP, list[ConsumerRecord]]):
    """Records by partition, where each was read to (control records counted) and ends, and the seeks done before."""

    def __init__(self, records: Mapping[TP, list[ConsumerRecord]], at: "Places", seeks: int) -> None:
        super().__init__(records)
        self.at = at
        self.seeks = seeks

    @property
    def positions(self) -> dict[TP, int]:
        """The next offset of each partition."""
        return {tp: place.position for tp, place in self.at.items()}

    def ended(self, number: int) -> set[str]:
        """Return the topics of whose partition `number` nothing was left."""
        return {tp.topic for tp, place in self.at.items() if tp.partition == number and place.left == 0}


class Place(NamedTuple):
    """Where a partition is read, and where what is committed ends, if the broker has told."""

    position: int
    end: int | None

    @property
    def left(self) -> int | None:
        """Records not yet read, markers among them; None: not known."""
        return None if self.end is None else max(0, self.end - self.position)


Places = dict[TP, Place]


class Fetcher(stock.AIOKafkaConsumerThread):
    """The thread that talks to Kafka. Its coroutines run in its own event loop."""

    seeks = 0
    most_records = sys.maxsize
    """Of one fetch, beside what the consumer's settings allow."""
    recovering = False
    """Whether only changelogs are wanted, and as fast as can be."""
    priority_weight = 0
    """Records of the priority lane to take for each one of all else; 0: records are taken as they come."""

    async def on_start(self) -> None:
        """Connect, however long the broker is away: stock fails, and the worker with it."""
        self._consumer = self._create_consumer(loop=self.thread_loop)
        self.time_started = time.monotonic()
        await connect(self._consumer)

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
        fetcher, most = consumer._fetcher, min(max_records or consumer._max_poll_records, self.most_records)
        # While records lie unread, aiokafka asks their broker for nothing else for 100 ms: the priority lane would wait
        # behind a backlog of the other.
        fetcher._prefetch_backoff = 0.0
        fetcher._fetch_max_wait_ms = SHORT_POLL_MS if fetcher._records else LONG_POLL_MS
        self._fetch_at_once(consumer, RECOVERY_BYTES if self.recovering else consumer._max_partition_fetch_bytes)
        records: Records = {}
        favoured = {tp for tp in active_partitions if tp.topic == PRIORITY} if self.priority_weight else set()
        if favoured:
            share = max(1, most * self.priority_weight // (self.priority_weight + 1))
            records |= await self._at_hand(consumer, favoured, share)
        if records:
            left = most - sum(map(len, records.values()))
            records |= await self._at_hand(consumer, active_partitions - favoured, max(1, left))
        else:
            records = cast("Records", await super()._fetch_records(consumer, active_partitions, timeout, most))
        return Fetched(records, self.places(), self.seeks)

    @staticmethod
    def _fetch_at_once(consumer: AIOKafkaConsumer, partition_bytes: int) -> None:
        consumer._fetcher._max_partition_fetch_bytes = partition_bytes

    async def _at_hand(self, consumer: AIOKafkaConsumer, partitions: set[TP], most: int) -> Records:
        """Return what has been fetched already; an empty set would mean all."""
        if not partitions:
            return {}
        return cast("Records", await super()._fetch_records(consumer, partitions, 0.0, most))

    def assigned(self) -> set[TP] | None:
        """Return what the group has given to this worker, None: it has not said yet."""
        assignment = self._assignment()
        return None if assignment is None else {TP(*tp) for tp in list(assignment.tps)}

    def _assignment(self) -> Any:
        subscription = self._consumer and self._consumer._subscription.subscription
        return subscription and subscription.assignment

    def places(self) -> Places:
        """Return where each partition is read: the only way to see that only markers are left (#176, #597)."""
        assignment = self._assignment()
        if assignment is None:
            return {}
        states = {TP(*tp): assignment.state_value(tp) for tp in list(assignment.tps)}
        return {
            tp: Place(state.position, state.lso if state.lso is not None and state.lso >= 0 else state.highwater)
            for tp, state in states.items()
            if state is not None and state.has_valid_position
        }

    def silent_s(self) -> float:
        """Return for how many seconds no broker has answered: a frozen one keeps its connections."""
        connections = list(self._consumer._client._conns.values()) if self._consumer else []
        heard = [connection._last_action for connection in connections if connection.connected()]
        return time.monotonic() - max(heard, default=-math.inf)

    async def _seek_wait(self, consumer: AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        self.seeks += 1
        await super()._seek_wait(consumer, partitions)

    async def seek_inputs(self, offsets: Mapping[TP, int | None]) -> dict[TP, tuple[int, int]]:
        """Go to each offset, None: the oldest record; return where each log begins and ends."""
        consumer = self._ensure_consumer()
        partitions = [TopicPartition(*tp) for tp in offsets if TopicPartition(*tp) in consumer.assignment()]
        # Inputs flow before anybody asks for records again.
        self._fetch_at_once(consumer, consumer._max_partition_fetch_bytes)
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
        # One that comes with the generation before is refused, and aiokafka then leaves the group without a word to it:
        # everybody waits until that member's session ends.
        if consumer._subscription.reassignment_in_progress:
            return False
        assigned = consumer.assignment()
        told = {TopicPartition(*tp): offset for tp, offset in offsets.items() if tp in assigned}
        try:
            # aiokafka tries for ever, and Faust's thread does two things at a time.
            await asyncio.wait_for(consumer.commit(told), COMMITTING_S)
        except (KafkaError, TimeoutError) as error:
            log.warning("lag offsets not committed", error=f"{type(error).__name__}: {error}")
            return False
        return True

    async def leave(self) -> None:
        """Leave the group for good."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ensure_consumer()._coordinator.close(), LEAVING_S)

    def rejoin(self) -> None:
        """Ask the group for a new assignment. May be called from any thread."""
        self.thread_loop.call_soon_threadsafe(self._ensure_consumer()._coordinator.request_rejoin)
