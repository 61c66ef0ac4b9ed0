"""The transactions of a partition's owner against a real broker: whole, once, and by the last owner only."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, ProducerFenced

from agents.engine.batches import LARGEST_BATCH, Building
from agents.engine.requests import Request
from agents.engine.transactions import Transactions, Written
from load_tests.services.kafka import Kafka
from pipeline.record import Message
from tests.kafka.house import prepare, read

HERE = 1
TOPICS = ("decisions", "journal")


def run(kafka: Kafka, story: Callable[..., Coroutine[Any, Any, None]], owners: int = 1) -> None:
    """Let owners of one transactional id come up to a story, none of which is open yet."""
    prepare(kafka)

    async def played() -> None:
        cast = [Transactions("tierwatch-1", {"bootstrap_servers": kafka.bootstrap}) for _ in range(owners)]
        try:
            await story(*cast)
        finally:
            for owner in cast:
                await owner.close()

    asyncio.run(played())


async def commit(owner: Transactions, counts: Mapping[str, int], values: Sequence[bytes]) -> Mapping[Any, Written]:
    building = Building(counts, HERE)
    building.add(Message(topic, None, value, ()) for value in values for topic in TOPICS)
    return await owner.commit(building.batches())


def told(kafka: Kafka, topic: str, isolation: str = "read_committed") -> list[bytes | None]:
    return [message.value() for message in read(kafka.bootstrap, topic, isolation)]


def test_more_than_a_request_takes_arrives_in_order(empty_kafka: Kafka) -> None:
    values = [b"%d" % number * (LARGEST_BATCH - 1_000) for number in range(3)]

    async def story(owner: Transactions) -> None:
        counts = await owner.open(TOPICS)
        for round_ in (1, 2):
            written = await commit(owner, counts, values)
            # Each transaction ends in a marker, which has an offset of its own.
            assert written[TopicPartition("journal", HERE)].last == 4 * round_ - 2

    run(empty_kafka, story)
    assert [told(empty_kafka, topic) for topic in TOPICS] == [values * 2] * len(TOPICS)


def test_what_was_done_and_not_answered_is_done_once(empty_kafka: Kafka) -> None:
    async def story(owner: Transactions) -> None:
        counts = await owner.open(TOPICS)
        send, asked = owner.client.send, 0

        async def lossy(broker: int, request: object) -> object:
            nonlocal asked
            answer = await send(broker, request)
            if isinstance(request, Request):
                asked += 1
                if asked % 2:
                    raise KafkaConnectionError("the answer is lost")
            return answer

        owner.client.send = lossy
        for value in (b"first", b"second"):
            await commit(owner, counts, [value])
        assert asked >= 2 * 2 * len(("add", "produce", "end"))

    run(empty_kafka, story)
    assert [told(empty_kafka, topic) for topic in TOPICS] == [[b"first", b"second"]] * len(TOPICS)


def test_a_successor_ends_what_its_predecessor_began(empty_kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(first: Transactions, second: Transactions) -> None:
        counts = await first.open(TOPICS)
        await commit(first, counts, [b"kept"])
        end = first._end

        async def usurped(*, commit: bool) -> None:
            await second.open(TOPICS)
            await end(commit=commit)

        monkeypatch.setattr(first, "_end", usurped)
        with pytest.raises(ProducerFenced):
            await commit(first, counts, [b"lost"])
        await commit(second, counts, [b"kept too"])
        with pytest.raises(ProducerFenced):
            await commit(first, counts, [b"lost"])

    run(empty_kafka, story, owners=2)
    for topic in TOPICS:
        assert told(empty_kafka, topic) == [b"kept", b"kept too"]
        assert b"lost" in told(empty_kafka, topic, "read_uncommitted")
