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
from typing import Any, NamedTuple, Protocol, cast

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from mode import Service
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.engine import positions
from agents.engine.shard import Commit, Shard
from agents.log import Log
from agents.patience import connect, patiently
from agents.topics import Layout
from pipeline.history_bytes import owner_of
from schemas.entitlement import Usage

log = Log("readmodel")

TOPIC = "entitlements"
FETCH_MS = 200
LOOK_EVERY_S = 1.0
LONGEST_PAUSE_S = 15.0
_PREFIX = "tierwatch:entitlement:"
_POSITIONS = "tierwatch:entitlements:next"
# How many customers' usage is written at each look, five times a second: what a worker can spare beside its payments.
USED_AT_ONCE = 50
# Who pays while so many wait is written when paying again.
_MOST_WAITING = 20_000


class Entry(NamedTuple):
    """The newest entitlement of a customer: its message's bytes and its `as_of`; a value of None removes it."""

    customer_id: str
    as_of: str
    value: bytes | None


class Store(Protocol):
    """Where the read model lives. All of it may raise `RedisError` or `OSError`."""

    async def positions(self) -> Mapping[int, int]:
        """Return the next offset of each partition, as far as it is known."""

    async def write(self, partition: int, expected: int, next_offset: int, entries: Sequence[Entry]) -> bool:
        """Write entries, none over a newer one, and move the position; False, and nothing, when it was elsewhere."""

    async def get(self, customer_id: str) -> bytes | None:
        """Return the newest entitlement of a customer."""

    async def use(self, usages: Sequence[Usage]) -> None:
        """Write what customers have used of their limits, none over what is newer."""

    async def used(self, customer_id: str) -> bytes | None:
        """Return what a customer has used: a `Usage` as JSON."""

    async def close(self) -> None:
        """Let go."""


# One step for Redis, so that two workers that believe to own a partition cannot write past each other.
_WRITE = """
local at = redis.call('HGET', KEYS[1], ARGV[1]) or '0'
if at ~= ARGV[2] then return 0 end
for i = 2, #KEYS do
  local as_of, value = ARGV[2 * i], ARGV[2 * i + 1]
  local known = redis.call('HGET', KEYS[i], 'as_of')
  if value == '' then redis.call('DEL', KEYS[i])
  elseif not known or known <= as_of then redis.call('HSET', KEYS[i], 'as_of', as_of, 'entitlement', value) end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""


_USE = """
for i = 1, #KEYS do
  local as_of, value = ARGV[2 * i - 1], ARGV[2 * i]
  local known = redis.call('HGET', KEYS[i], 'used_as_of')
  if not known or known <= as_of then redis.call('HSET', KEYS[i], 'used_as_of', as_of, 'usage', value) end
end
"""


class RedisStore:
    """A hash for each customer, `tierwatch:entitlement:CUSTOMER`: `as_of` and `entitlement`, the message's JSON.

    Beside them `used_as_of` and `usage`: what is used of each limit.
    """

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        self._write = self._redis.register_script(_WRITE)
        self._use = self._redis.register_script(_USE)

    async def positions(self) -> Mapping[int, int]:
        """Return the next offset of each partition."""
        found = await self._redis.hgetall(_POSITIONS)
        return {int(partition): int(offset) for partition, offset in found.items()}

    async def write(self, partition: int, expected: int, next_offset: int, entries: Sequence[Entry]) -> bool:
        """Write entries and position in one step."""
        keys = [_POSITIONS, *(_PREFIX + entry.customer_id for entry in entries)]
        told: list[str | bytes | int] = [partition, expected, next_offset]
        for entry in entries:
            told += (entry.as_of, entry.value or b"")
        return bool(await self._write(keys=keys, args=told))

    async def get(self, customer_id: str) -> bytes | None:
        """Return the newest entitlement of a customer."""
        return cast("bytes | None", await self._redis.hget(_PREFIX + customer_id, "entitlement"))

    async def use(self, usages: Sequence[Usage]) -> None:
        """Write them in one step."""
        told: list[str | bytes] = []
        for usage in usages:
            told += (usage.as_of, _encode(usage))
        await self._use(keys=[_PREFIX + usage.customer_id for usage in usages], args=told)

    async def used(self, customer_id: str) -> bytes | None:
        """Return what a customer has used."""
        return cast("bytes | None", await self._redis.hget(_PREFIX + customer_id, "usage"))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


class MemoryStore:
    """The same in a dictionary, for the embedded way to run."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._positions: dict[int, int] = {}
        self._used: dict[str, Usage] = {}

    async def positions(self) -> Mapping[int, int]:
        """Return the next offset of each partition."""
        return dict(self._positions)

    async def write(self, partition: int, expected: int, next_offset: int, entries: Sequence[Entry]) -> bool:
        """Write entries and position."""
        if self._positions.get(partition, 0) != expected:
            return False
        for entry in entries:
            known = self._entries.get(entry.customer_id)
            if entry.value is None:
                self._entries.pop(entry.customer_id, None)
            elif known is None or known.as_of <= entry.as_of:
                self._entries[entry.customer_id] = entry
        self._positions[partition] = next_offset
        return True

    async def get(self, customer_id: str) -> bytes | None:
        """Return the newest entitlement of a customer."""
        entry = self._entries.get(customer_id)
        return entry.value if entry else None

    async def use(self, usages: Sequence[Usage]) -> None:
        """Write them."""
        for usage in usages:
            known = self._used.get(usage.customer_id)
            if known is None or known.as_of <= usage.as_of:
                self._used[usage.customer_id] = usage

    async def used(self, customer_id: str) -> bytes | None:
        """Return what a customer has used."""
        usage = self._used.get(customer_id)
        return _encode(usage) if usage else None

    async def close(self) -> None:
        """Keep all."""


class _AsOf(msgspec.Struct):
    as_of: str


_encode = msgspec.json.Encoder().encode
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
    ) -> None:
        """Let `told` know whether the store takes what it is given."""
        super().__init__()
        self.store = store
        self._client = client
        self._checksums = not layout.embedded
        self._shards = shards
        # Partition and customer of those who paid and whose usage is not written yet, oldest first.
        self._paid: dict[tuple[int, bytes], None] = {}
        self._told = told
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
                usages.append(shard.pipeline.usage(key))
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
