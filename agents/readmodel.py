"""What is in force for each customer, for whoever asks Redis: a read model that can be lost.

It follows the topic `entitlements`, so it shows what is committed and nothing else, and is rebuilt from that topic
whenever Redis has forgotten how far it was. Each worker writes the partitions it owns. Redis down: detection goes on,
the metric `redis_up` says so, and what was missed is written when it is back.

What is used of each limit changes with every payment, so it is not on a topic: each worker writes it for the customers
of its partitions who paid of late, after the commit, so many a second at most. Between two looks there may be many
payments; `as_of` says up to which it counts, and the next entitlement holds it, too.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from mode import Service
from redis.exceptions import RedisError

from agents.engine import positions
from agents.engine.shard import Commit, Shard
from agents.log import Log
from agents.patience import connect, patiently
from agents.readmodel_store import Entry, Store
from agents.topics import Layout
from pipeline.history_bytes import owner_of
from schemas.entitlement import Usage

log = Log("readmodel")

TOPIC = "entitlements"
FETCH_MS = 200
LOOK_EVERY_S = 1.0
LONGEST_PAUSE_S = 15.0
# How many customers' usage is written at each look, five times a second: what a worker can spare beside its payments.
USED_AT_ONCE = 50
# Who pays while so many wait is written when paying again.
_MOST_WAITING = 20_000


class _AsOf(msgspec.Struct):
    as_of: str


_as_of = msgspec.json.Decoder(_AsOf).decode


def newest(records: Sequence[ConsumerRecord]) -> list[Entry]:
    """Return one entry a customer: of many changes in one fetch only the last is worth writing."""
    latest = {record.key: record.value for record in records if record.key is not None}
    return [Entry(key.decode(), "" if value is None else _as_of(value).as_of, value) for key, value in latest.items()]


class ReadModel(Service):
    """Keeps a store up to date with the partitions of a worker's `shards`."""

    def __init__(
        self,
        store: Store,
        client: Mapping[str, Any],
        layout: Layout,
        shards: Callable[[], Mapping[int, Shard]],
        told: Callable[[bool], None],
        used: Callable[[str, float], None],
    ) -> None:
        """Let `told` know whether the store takes what it is given, and `used` of each tier's shares of limits."""
        super().__init__()
        self.store = store
        self._client = client
        self._checksums = not layout.embedded
        self._shards = shards
        # Partition and customer of those who paid and whose usage is not written yet, oldest first.
        self._paid: dict[tuple[int, bytes], None] = {}
        self._told = told
        self._used = used
        self._assigned: set[int] = set()
        self._next: dict[int, int] = {}
        self._up = True
        self._looked = 0.0

    def hear(self, commit: Commit) -> None:
        """Take note of whose windows a transaction changed."""
        for key in commit.windows:
            if key != positions.KEY and len(self._paid) < _MOST_WAITING:
                self._paid[commit.shard.number, owner_of(key)] = None

    @Service.task
    async def _keep(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._client,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=self._checksums,
            fetch_max_wait_ms=FETCH_MS,
        )
        await connect(consumer)
        pause = 0.5
        try:
            while not self.should_stop:
                try:
                    await self._step(consumer)
                    await self._use()
                except (RedisError, OSError) as error:
                    self._said(up=False, error=error)
                    self._assigned = set()  # begin again at what it remembers: it may come back empty
                    await self.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_S)
                else:
                    self._said(up=True)
                    pause = 0.5
        finally:
            await asyncio.gather(consumer.stop(), self.store.close(), return_exceptions=True)

    async def _step(self, consumer: AIOKafkaConsumer) -> None:
        owned = set(self._shards())
        if owned != self._assigned:
            await self._assign(consumer, owned)
        if not owned:
            await self.sleep(FETCH_MS / 1000)
            return
        fetched = await consumer.getmany(timeout_ms=FETCH_MS)
        if not fetched and time.monotonic() - self._looked > LOOK_EVERY_S:
            await self._look()
        for tp, records in fetched.items():
            next_offset = records[-1].offset + 1
            if not await self.store.write(tp.partition, self._next[tp.partition], next_offset, newest(records)):
                self._assigned = set()  # somebody else wrote, or it was emptied: look again
                return
            self._next[tp.partition] = next_offset

    async def _use(self) -> None:
        usages: list[Usage] = []
        while self._paid and len(usages) < USED_AT_ONCE:
            number, key = next(iter(self._paid))
            del self._paid[number, key]
            if (shard := self._shards().get(number)) is not None and not shard.dead:
                usages.append(usage := shard.pipeline.usage(key))
                self._used(*shard.pipeline.share_used(usage))
        if usages:
            await self.store.use(usages)

    async def _assign(self, consumer: AIOKafkaConsumer, owned: set[int]) -> None:
        remembered = await self.store.positions()
        partitions = {number: TopicPartition(TOPIC, number) for number in sorted(owned)}
        consumer.assign(list(partitions.values()))
        asked = list(partitions.values())
        ends = await patiently("asking where entitlements end", lambda: consumer.end_offsets(asked)) if owned else {}
        for number, tp in partitions.items():
            at = remembered.get(number, 0)
            if at > ends[tp]:  # another topic than the one it remembers
                await self.store.write(number, at, 0, ())
                at = 0
            self._next[number] = at
            consumer.seek(tp, at)
        self._assigned = set(owned)

    async def _look(self) -> None:
        """See in quiet times, too, whether it answers, and whether it still knows what it was told."""
        remembered = await self.store.positions()
        self._looked = time.monotonic()
        if any(remembered.get(number, 0) != at for number, at in self._next.items() if number in self._assigned):
            self._assigned = set()

    def _said(self, *, up: bool, error: Exception | None = None) -> None:
        if up != self._up:
            self._up = up
            if up:
                log.info("Redis answers again")
            else:
                log.warning("Redis does not answer; detection goes on, look at TIERWATCH_REDIS", error=error)
        self._told(up)
