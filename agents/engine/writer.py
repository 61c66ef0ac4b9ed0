"""One Kafka transaction after another for one partition: all of a unit of work is visible, or nothing of it."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import TransactionalIdAuthorizationFailed
from aiokafka.producer import sender
from aiokafka.structs import RecordMetadata
from msgspec.structs import replace

from agents.engine.batches import Batch, Building
from agents.engine.fit import fitted
from agents.engine.hanging import end_what_hangs
from agents.log import Log
from pipeline.record import Message
from schemas import dead_letter

log = Log("engine")

# aiokafka sleeps 20 ms when a commit meets the markers of the one before, which a third of our commits do; the broker
# needs about one.
sender.BACKOFF_OVERRIDE = 0.0005
# The broker refuses a batch above 1 MiB, and the producer is then out of sequence for good.
LARGEST_BATCH = 900_000
# A worker that hangs hides its partition from readers for as long; then the broker aborts.
TRANSACTION_TIMEOUT_MS = 15_000
CLOSING_S = 5.0
DEAD_LETTERS = "dead-letters"
# Which code set a record aside: the pipeline does not know, for it is no function of the input.
_VERSION = (dead_letter.WORKER_VERSION, version("tierwatch").encode())


class Committed(NamedTuple):
    """What a commit has told: the last offset of each partition written, and the broker's clock where it stamps."""

    last: Mapping[tuple[str, int], int]
    broker_ms: int | None


class Writer:
    """The transactional producer of one partition; opening it fences every earlier owner and aborts its transaction."""

    def __init__(self, transactional_id: str, client: Mapping[str, Any]) -> None:
        self._transactional_id = transactional_id
        self._producer = AIOKafkaProducer(
            **client,
            transactional_id=transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            acks="all",
            retry_backoff_ms=20,
            max_batch_size=LARGEST_BATCH,
            max_request_size=4 * LARGEST_BATCH,
        )
        # Partitions of each topic.
        self._counts: dict[str, int] = {}

    async def open(self, here: int, topics: Iterable[str], own: Collection[str]) -> None:
        """Fence earlier owners of partition `here`, end what hangs in it, and learn of `topics`' partitions.

        To partition `here` of the topics `own` nobody else writes, and every transaction does.

        Raises:
            KafkaError: the broker does not answer, or does not allow it.
            HalfEndedError: a person must look; the text says at what.

        """
        topics = list(topics)
        try:
            # While a former transaction ends, aiokafka asks for all topics of the cluster with each attempt, and reads
            # the answer in Python: a quarter of a takeover's CPU time.
            self._producer.client.set_topics(topics)
            await self._producer.start()
            for topic in topics:
                self._counts[topic] = len(await self._producer.partitions_for(topic))
            places = {topic: TopicPartition(topic, here) for topic, count in self._counts.items() if here < count}
            ours = {places[topic] for topic in own}
            if hanging := await end_what_hangs(self._producer, ours, set(places.values()) - ours):
                log.warning("aborted what hung", partition=here, topics=sorted(topic for topic, _ in hanging))
        except TransactionalIdAuthorizationFailed as error:
            await self.abandon()
            raise TransactionalIdAuthorizationFailed(self._transactional_id) from error  # which aiokafka leaves out
        except BaseException:
            await self.abandon()
            raise

    def batches(
        self, here: int, messages: Iterable[Message], changelogs: Mapping[str, Mapping[bytes, bytes | None]]
    ) -> list[Batch]:
        """Return all that one transaction of partition `here` publishes, as batches in the order to send them."""
        building = Building(self._producer.create_batch, self._counts, here)
        building.add(_sent(message) if message.topic == DEAD_LETTERS else message for message in messages)
        for topic, states in changelogs.items():
            building.add_states(topic, states)
        return building.batches()

    async def commit(self, batches: Iterable[Batch]) -> Committed:
        """Publish all in one transaction and return when readers can see it.

        Raises:
            KafkaError: nothing is known to be committed; the writer cannot be used again.

        """
        producer = self._producer
        await producer.begin_transaction()
        waiting = [
            (batch, await producer.send_batch(batch.builder, batch.topic, partition=batch.partition))
            for batch in batches
        ]
        last: dict[tuple[str, int], int] = {}
        broker_ms = None
        # aiokafka commits happily after a failed produce: what was sent must have arrived first.
        arrived: list[RecordMetadata] = await asyncio.gather(*(delivered for _, delivered in waiting))
        for (batch, _), metadata in zip(waiting, arrived, strict=True):
            last[batch.topic, batch.partition] = metadata.offset + batch.builder.record_count() - 1
            if metadata.timestamp_type == 1:  # LogAppendTime
                broker_ms = max(broker_ms or 0, metadata.timestamp)
        await producer.commit_transaction()
        return Committed(last, broker_ms)

    async def close(self) -> None:
        """Leave within seconds, whatever the broker does."""
        try:
            await asyncio.wait_for(self._producer.stop(), CLOSING_S)
        except Exception:  # noqa: BLE001 - it is being left; a successor fences it
            await self.abandon()

    async def abandon(self) -> None:
        """Close the connections only."""
        producer = self._producer
        producer._closed = True  # `stop` would wait for what can no longer be sent
        if (sending := producer._sender.sender_task) is not None:
            sending.cancel()
        await producer.client.close()


def _sent(letter: Message) -> Message:
    letter = fitted(letter)
    return replace(letter, headers=(*letter.headers, _VERSION))
