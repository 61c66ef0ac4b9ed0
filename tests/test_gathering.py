"""When a shard commits: at once while it keeps up, whole thousands when its partition is far behind."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from agents.engine import shard as engine_shard
from agents.engine.fetcher import PRIORITY
from agents.engine.journal import Journal, Seen
from agents.engine.rows import Rows
from agents.engine.shard import BEHIND, FULL, Commit, Shard
from agents.engine.writer import Committed
from pipeline.customer import Changes
from pipeline.record import InputRecord
from pipeline.tally import Tally


class Pipeline:
    """Takes anything and says nothing."""

    repeated: Sequence[tuple[str, int]] = ()

    def __init__(self) -> None:
        self.tally = Tally()

    def take(self, _: Sequence[InputRecord]) -> list[Any]:
        return []

    def changes(self) -> Changes:
        return Changes({}, {})


class Host:
    """Writes down how many records each commit has; `left` lie in the log."""

    changelogs: Mapping[str, str] = {"windows": "w", "dossiers": "d"}
    linger = 0.0

    def __init__(self, left: int) -> None:
        self.left = left
        self.units: list[int] = []

    def batches(self, *_: object) -> list[Any]:
        return []

    async def commit(self, _: object) -> Committed:
        return Committed({}, None)

    def backlog(self, _: int) -> int:
        return self.left

    def drained(self) -> None: ...

    def committed(self, commit: Commit) -> None:
        self.units.append(commit.work.records)

    def failed(self, _: Shard, error: BaseException) -> None:
        raise error


def units(left: int, story: Callable[[Shard, Host], Awaitable[None]]) -> list[int]:
    """Return what each commit holds, of a shard to which this happens."""

    async def told() -> list[int]:
        host = Host(left)
        tables = {"windows": Rows(), "dossiers": Rows()}
        shard = Shard(0, Pipeline(), tables, host, Journal(lambda _: Seen(1, "", 0, 0)), host)  # type: ignore[arg-type]
        await story(shard, host)
        await asyncio.wait_for(shard.settled(), 5)
        return host.units

    return asyncio.run(told())


async def take(shard: Shard, count: int, topic: str = "transactions") -> None:
    """Bring a batch, and let whoever waits for it look."""
    first = shard.positions.next.get(topic, 0)
    shard.take([InputRecord(topic, 0, first + number, 0, b"c", b"{}") for number in range(count)])
    for _ in range(10):
        await asyncio.sleep(0)


def test_who_keeps_up_commits_at_once() -> None:
    async def story(shard: Shard, _: Host) -> None:
        for count in (10, 20, 30):
            await take(shard, count)

    assert units(BEHIND - 1, story) == [10, 20, 30]


def test_who_is_far_behind_commits_thousands() -> None:
    async def story(shard: Shard, host: Host) -> None:
        for _ in range(4):
            await take(shard, FULL // 4)
        await take(shard, 500)
        host.left = 0
        await take(shard, 100)

    assert units(10 * FULL, story) == [FULL, 600]


def test_nobody_waits_for_a_record_of_the_priority_lane() -> None:
    async def story(shard: Shard, _: Host) -> None:
        await take(shard, 500)
        await take(shard, 1, PRIORITY)

    assert units(10 * FULL, story) == [501]


def test_a_rebalance_waits_for_nothing_more() -> None:
    async def story(shard: Shard, host: Host) -> None:
        await take(shard, 500)
        assert host.units == []

    assert units(10 * FULL, story) == [500]


def test_what_does_not_come_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_shard, "GATHERING_S", 0.0)

    async def story(shard: Shard, _: Host) -> None:
        await take(shard, 500)
        await take(shard, 500)

    assert units(10 * FULL, story) == [500, 500]
