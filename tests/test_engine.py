"""Parts of the engine that need no broker: rows in memory, whose clock is believed, where messages go."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError
from hypothesis import given
from hypothesis import strategies as st

from agents import patience
from agents.engine import positions
from agents.engine.clock import FURTHEST_MS
from agents.engine.engine import BrokenError, Engine, Identity
from agents.engine.fit import LARGEST, fitted
from agents.engine.journal import Seen
from agents.engine.positions import Positions
from agents.engine.rows import Rows
from agents.engine.shard import Commit, Work
from agents.engine.stamps import stamp
from pipeline.record import Message
from pipeline.tally import Tally


class Change(NamedTuple):
    offset: int
    key: bytes
    value: bytes | None


class Heard:
    """Writes down what the engine tells."""

    def __init__(self) -> None:
        self.refused = 0
        self.gone: list[tuple[str, int]] = []

    def taken(self, seconds: float) -> None: ...

    def committed(self, commit: Commit) -> None: ...

    def failed(self) -> None: ...

    def tick_refused(self) -> None:
        self.refused += 1

    def recovering(self, remaining: int) -> None: ...

    def recovered(self, records: int, seconds: float) -> None: ...

    def expired(self, topic: str, records: int) -> None:
        self.gone.append((topic, records))


def no_pipeline(*_: object) -> Any:  # noqa: ANN401 - it gives none
    raise AssertionError


def engine(heard: Heard, new_pipeline: Callable[..., Any] = no_pipeline) -> Engine:
    tables: dict[str, dict[int, Rows]] = {"windows": {}, "dossiers": {}}
    return Engine(Identity("app", {}, ()), tables, new_pipeline, lambda _: Seen(1, "", 0, 0), heard)


KEYS = st.sampled_from([b"a", b"b", b"c\0s1", positions.KEY])
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=4)), max_size=40)


def test_who_fails_to_count_a_transaction_neither_undoes_it_nor_keeps_others_from_hearing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[object] = []

    def stumble(_: Commit) -> None:
        raise ValueError("no tier")

    it = engine(Heard())
    it.on_committed += [stumble, heard.append]
    it.committed(Commit(SimpleNamespace(number=3), Work(), Tally(), 0.0, 0, (), None))  # type: ignore[arg-type]
    assert len(heard) == 1
    assert [each.getMessage() for each in caplog.records] == ["report this as a bug"]


@given(CHANGES, st.data())
def test_rows_restored_from_overlapping_fetches_are_those_of_the_whole_log(
    changes: list[tuple[bytes, bytes | None]], data: st.DataObject
) -> None:
    log = [Change(offset, key, value) for offset, (key, value) in enumerate(changes)]
    rows = Rows()
    read = 0
    while read < len(log):
        begin = data.draw(st.integers(0, read))  # a fetch may tell again what is known
        end = data.draw(st.integers(read + 1, len(log)))
        rows.restore(log[begin:end])
        read = end
    newest = {key: value for key, value in dict(changes).items() if value is not None}
    assert {key: rows.get(key) for key, _ in changes} == {key: newest.get(key) for key, _ in changes}
    own = {key: value for key, value in newest.items() if key != positions.KEY}
    assert dict(rows.items()) == own
    assert len(rows) == len(own)
    assert rows.customers == len([key for key in newest if b"\0" not in key])
    assert rows.size_bytes == sum(map(len, newest.values()))
    assert rows.applied == (log[-1].offset if log else None)


def test_positions_are_read_back_and_a_partition_without_any_has_not_begun() -> None:
    there = Positions(next={"transactions": 7}, clock_ms=5)
    assert positions.decode(there.encode()) == there
    assert positions.decode(None) == Positions()


@pytest.mark.parametrize("away_s,refused", [(0, 0), (59, 0), (-59, 0), (61, 1), (-61, 1)])
def test_a_tick_too_far_from_the_brokers_time_is_refused(away_s: int, refused: int) -> None:
    heard = Heard()
    mine = engine(heard)
    mine.tick()  # not known yet: nothing ticks, nothing is refused
    assert heard.refused == 0
    mine.broker_clock.hear(int(time.time() * 1000) - away_s * 1000)
    mine.tick()
    assert heard.refused == refused


def test_a_clock_that_jumps_lets_no_time_pass_and_says_so_until_it_is_set_right(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    mine = engine(heard)
    ticked: list[int] = []
    mine.shards[0] = SimpleNamespace(dead=False, tick=ticked.append)  # type: ignore[assignment]
    right = time.time
    mine.broker_clock.hear(int(right() * 1000))
    for ahead_s in (0, 2 * 3600, 366 * 86_400, -3 * 3600, 0):
        monkeypatch.setattr(time, "time", lambda ahead_s=ahead_s: right() + ahead_s)
        mine.tick()
    assert len(ticked) == 2
    assert ticked == sorted(ticked)
    assert ticked[-1] - ticked[0] < FURTHEST_MS
    assert heard.refused == 3
    said = [each.getMessage() for each in caplog.records if each.name == "tierwatch.engine"]
    assert said == ["tick refused: this machine's clock is wrong"] * 3


def test_an_input_that_expired_is_counted_and_one_that_was_made_anew_stops_the_worker() -> None:
    heard = Heard()
    mine = engine(heard)
    mine.check_position("transactions", 0, None, 0, 10)
    mine.check_position("transactions", 0, 10, 3, 10)
    assert heard.gone == []
    mine.check_position("transactions", 0, 1, 3, 10)
    assert heard.gone == [("transactions", 2)]
    with pytest.raises(BrokenError, match=r"transactions\[0\] ends at 10.*app-windows-changelog"):
        mine.check_position("transactions", 0, 11, 0, 10)


def letter(key: int, value: int, *headers: tuple[str, int]) -> Message:
    kept = [("reason", b"not_json"), *((f"original_{name}", b"h" * size) for name, size in headers)]
    return Message("dead-letters", b"k" * key, b"v" * value, tuple(kept))


@pytest.mark.parametrize(
    "large,fits",
    [
        (letter(10, 10, ("a", 10)), True),
        (letter(10, 900_000, ("a", 148_000)), False),
        (letter(10, 10, *((str(number), 1) for number in range(50_000))), False),
        (letter(1_047_000, 10), False),
        (letter(500_000, 548_000, ("a", 500)), False),
        (letter(60_000, 1_100_000), False),
    ],
)
def test_a_dead_letter_always_fits(large: Message, *, fits: bool) -> None:
    small = fitted(large)
    size = (
        sum(len(name) + len(value) for name, value in small.headers) + len(small.key or b"") + len(small.value or b"")
    )
    assert size <= LARGEST
    assert small.headers[0] == ("reason", b"not_json")
    if small.value != large.value:
        assert dict(small.headers)["size"] == str(len(large.value or b"")).encode()
        assert (large.value or b"").startswith(small.value or b"")
    assert (small == large) == fits


class Nothing:
    """A pipeline that makes nothing, and a writer that never writes."""

    def restore(self, _: object) -> None: ...

    async def close(self) -> None: ...


def test_a_partition_that_is_assigned_anew_publishes_nothing_before_it_is_recovered() -> None:
    """What it says then would be in memory that is kept, but perhaps in no transaction."""
    mine = engine(Heard(), lambda *_: Nothing())
    mine.live = False
    mine._writers = {0: Nothing()}  # type: ignore[dict-item]
    mine.begin({0})
    shard = mine.shards[0]
    mine.release({0})
    shard.publish([Message("audit", b"0", b"{}")], "policies", 1)
    assert shard.dead
    assert not shard._pending()
    assert "policies" not in shard.positions.next


def test_changelogs_that_do_not_end_alike_stop_the_worker() -> None:
    mine = engine(Heard(), lambda *_: Nothing())
    mine._writers = {0: Nothing()}  # type: ignore[dict-item]
    mine._tables["windows"][0] = rows = Rows()
    rows.change({positions.KEY: Positions(units=1).encode()})
    with pytest.raises(BrokenError, match=r"partition 0 of .*app-windows-changelog, app-dossiers"):
        mine.begin({0})


def test_what_fails_with_the_broker_is_tried_again_and_a_missing_permission_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "SHORTEST_S", 0.0)
    left: list[KafkaError] = [KafkaConnectionError("away"), KafkaTimeoutError("slow")]

    async def attempt() -> str:
        if left:
            raise left.pop()
        return "there"

    assert asyncio.run(patience.patiently("a test", attempt)) == "there"
    left.append(TopicAuthorizationFailedError("decisions"))
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(patience.patiently("a test", attempt))


def test_only_alerts_tell_when_a_worker_had_them_in_hand() -> None:
    messages = [Message(topic, b"c-1", b"{}", (("ce_id", b"1"),)) for topic in ("decisions", "alerts", "audit")]
    stamp(messages, 1_700_000_000_000, 1_700_000_000_250)
    added = [tuple(message.headers)[1:] for message in messages]
    told = (("tw_fetched_at", b"2023-11-14T22:13:20.000Z"), ("tw_judged_at", b"2023-11-14T22:13:20.250Z"))
    assert added == [(), told, ()]
