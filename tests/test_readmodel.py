"""The two stores of the read model keep the same promises; what is written is coalesced."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
import pytest

from agents.readmodel import newest
from agents.readmodel_store import Entry, MemoryStore, RedisStore, Store
from schemas.entitlement import Usage, Used


class Record(NamedTuple):
    key: bytes | None
    value: bytes | None


@pytest.fixture(params=["redis", "memory"])
def new_store(request: pytest.FixtureRequest) -> Callable[[], Store]:
    """A function that opens the store: a client of Redis belongs to one event loop."""
    if request.param == "memory":
        return MemoryStore
    url: str = request.getfixturevalue("redis_url")
    return lambda: RedisStore(url)


def in_store(new_store: Callable[[], Store], story: Callable[[Store], Awaitable[None]]) -> None:
    async def tell() -> None:
        store = new_store()
        try:
            await story(store)
        finally:
            await store.close()

    asyncio.run(tell())


def test_positions_move_with_what_is_written(new_store: Callable[[], Store]) -> None:
    async def story(store: Store) -> None:
        assert await store.positions() == {}
        assert await store.write(3, 0, 7, [Entry("c-1", "2026-01-01T00:00:00.000Z", b"one")])
        assert await store.write(4, 0, 2, [])
        assert await store.positions() == {3: 7, 4: 2}
        assert await store.get("c-1") == b"one"
        assert await store.get("c-2") is None

    in_store(new_store, story)


def test_a_writer_that_does_not_know_the_position_writes_nothing(new_store: Callable[[], Store]) -> None:
    async def story(store: Store) -> None:
        assert await store.write(0, 0, 5, [])
        assert not await store.write(0, 4, 6, [Entry("c-1", "2026-01-01T00:00:00.000Z", b"one")])
        assert await store.positions() == {0: 5}
        assert await store.get("c-1") is None

    in_store(new_store, story)


def test_older_news_never_replaces_newer(new_store: Callable[[], Store]) -> None:
    async def story(store: Store) -> None:
        for offset, (day, value) in enumerate([("02", b"new"), ("01", b"old"), ("02", b"same moment")]):
            assert await store.write(0, offset, offset + 1, [Entry("c-1", f"2026-01-{day}T00:00:00.000Z", value)])
            assert await store.get("c-1") == (b"same moment" if offset == 2 else b"new")
        assert await store.write(0, 3, 4, [Entry("c-1", "", None)])
        assert await store.get("c-1") is None

    in_store(new_store, story)


def test_what_is_used_is_written_beside_it_and_never_backwards(new_store: Callable[[], Store]) -> None:
    def usage(day: str, used: int) -> Usage:
        moment = f"2026-01-{day}T00:00:00.000Z"
        return Usage(customer_id="c-1", as_of=moment, used={"amount_24h": Used(used=used, frees_at=moment)})

    async def story(store: Store) -> None:
        assert await store.used("c-1") is None
        await store.write(0, 0, 1, [Entry("c-1", "2026-01-01T00:00:00.000Z", b"one")])
        for day, used, left in (("02", 5, 5), ("01", 3, 5), ("02", 7, 7)):
            await store.use([usage(day, used)])
            assert msgspec.json.decode(await store.used("c-1") or b"", type=Usage).used["amount_24h"].used == left
        assert await store.get("c-1") == b"one"

    in_store(new_store, story)


def test_of_many_changes_only_the_last_is_written() -> None:
    def told(moment: str) -> bytes:
        return b'{"as_of":"%s","tier":"base"}' % moment.encode()

    records = [Record(b"a", told("1")), Record(b"b", told("1")), Record(b"a", told("2")), Record(b"b", None)]
    assert newest(records) == [Entry("a", "2", told("2")), Entry("b", "", None)]
