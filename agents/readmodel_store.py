"""Where the read model lives: in Redis, or in memory for the embedded way to run; nothing writes over what is newer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, cast

import msgspec
from redis.asyncio import Redis

from schemas.entitlement import Usage

_PREFIX = "tierwatch:entitlement:"
_POSITIONS = "tierwatch:entitlements:next"
_encode = msgspec.json.Encoder().encode


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
