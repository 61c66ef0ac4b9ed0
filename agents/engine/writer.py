"""One Kafka transaction after another for one partition: all of a unit of work is visible, or nothing of it."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from msgspec.structs import replace

from agents.engine.batches import Batch, Building
from agents.engine.fit import fitted
from agents.engine.hanging import end_what_hangs
from agents.engine.transactions import Transactions
from agents.log import Log
from pipeline.record import Message
from schemas import dead_letter

log = Log("engine")

CLOSING_S = 5.0
DEAD_LETTERS = "dead-letters"
# Which code set a record aside: the pipeline does not know, for it is no function of the input.
_VERSION = (dead_letter.WORKER_VERSION, version("tierwatch").encode())


class Committed(NamedTuple):
    """What a commit has told: the last offset of each partition written, and the broker's clock where it stamps."""

    last: Mapping[tuple[str, int], int]
    broker_ms: int | None


class Writer:
    """Who writes for one partition; opening it fences every earlier owner and aborts its transaction."""

    def __init__(self, transactional_id: str, client: Mapping[str, Any]) -> None:
        self._transactions = Transactions(transactional_id, client)
        # Partitions of each topic.
        self._counts: dict[str, int] = {}

    async def open(self, here: int, topics: Iterable[str], own: Collection[str]) -> None:
        """Fence earlier owners of partition `here`, end what hangs in it, and learn of `topics`' partitions.

        To partition `here` of the topics `own` nobody else writes, and every transaction does.

        Raises:
            KafkaError: the broker does not answer, or does not allow it.
            HalfEndedError: a person must look; the text says at what.

        """
        try:
            self._counts = await self._transactions.open(topics)
            places = {topic: TopicPartition(topic, here) for topic, count in self._counts.items() if here < count}
            ours = {places[topic] for topic in own}
            if hanging := await end_what_hangs(self._transactions, ours, set(places.values()) - ours):
                log.warning("aborted what hung", partition=here, topics=sorted(topic for topic, _ in hanging))
        except BaseException:
            await self.close()
            raise

    def batches(
        self, here: int, messages: Iterable[Message], changelogs: Mapping[str, Mapping[bytes, bytes | None]]
    ) -> list[Batch]:
        """Return all that one transaction of partition `here` publishes."""
        building = Building(self._counts, here)
        building.add(_sent(message) if message.topic == DEAD_LETTERS else message for message in messages)
        for topic, states in changelogs.items():
            building.add_states(topic, states)
        return building.batches()

    async def commit(self, batches: Collection[Batch]) -> Committed:
        """Publish all in one transaction and return when readers can see it.

        Raises:
            KafkaError: nothing is known to be committed; the writer cannot be used again.

        """
        written = await self._transactions.commit(batches)
        stamps = [each.broker_ms for each in written.values() if each.broker_ms is not None]
        return Committed({place: each.last for place, each in written.items()}, max(stamps, default=None))

    async def close(self) -> None:
        """Leave within seconds, whatever the broker does; a successor aborts what is open."""
        with suppress(Exception):
            await asyncio.wait_for(self._transactions.close(), CLOSING_S)


def _sent(letter: Message) -> Message:
    letter = fitted(letter)
    return replace(letter, headers=(*letter.headers, _VERSION))
