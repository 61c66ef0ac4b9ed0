"""One Kafka transaction after another for one partition: all of a unit of work is visible, or nothing of it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import TransactionalIdAuthorizationFailed
from aiokafka.producer import sender
from aiokafka.structs import RecordMetadata
from msgspec.structs import replace

from agents.engine.fit import fitted
from pipeline.partitioning import partition_of
from pipeline.record import Headers, Message
from schemas import dead_letter

# aiokafka sleeps 20 ms when a commit meets the markers of the one before, which a third of our commits do; the broker
# needs about one.
sender.BACKOFF_OVERRIDE = 0.0005
# The broker refuses a batch above 1 MiB, and the producer is then out of sequence for good.
LARGEST_BATCH = 900_000
# A worker that hangs hides its partition from readers for as long; then the broker aborts.
TRANSACTION_TIMEOUT_MS = 15_000
CLOSING_S = 5.0
DEAD_LETTERS = "dead-letters"
# Each partition of it is a chain with one writer, the owner of that number, whoever an entry is about.
AUDIT = "audit"
# Which code set a record aside: the pipeline does not know, for it is no function of the input.
_VERSION = (dead_letter.WORKER_VERSION, version("tierwatch").encode())


class Outgoing(NamedTuple):
    """A message and the partition it goes to."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


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
        self._counts: dict[str, int] = {}

    async def open(self, topics: Iterable[str]) -> None:
        """Fence earlier owners and learn how many partitions each of `topics` has. Raises `KafkaError`."""
        try:
            await self._producer.start()
            for topic in topics:
                self._counts[topic] = len(await self._producer.partitions_for(topic))
        except TransactionalIdAuthorizationFailed as error:
            await self.abandon()
            raise TransactionalIdAuthorizationFailed(self._transactional_id) from error  # which aiokafka leaves out
        except BaseException:
            await self.abandon()
            raise

    def partition_for(self, topic: str, key: bytes | None, here: int) -> int:
        """Return the partition of a key; what has none, and the audit's chain, stays where it was made."""
        count = self._counts[topic]
        return here % count if key is None or topic == AUDIT else partition_of(key, count)

    def addressed(self, messages: Iterable[Message], here: int) -> list[Outgoing]:
        """Give each message its partition, and a dead letter what only the worker knows."""
        outgoing = []
        for message in messages:
            sent = _sent(message) if message.topic == DEAD_LETTERS else message
            partition = self.partition_for(sent.topic, sent.key, here)
            outgoing.append(Outgoing(sent.topic, partition, sent.key, sent.value, sent.headers))
        return outgoing

    async def commit(self, outgoing: Iterable[Outgoing]) -> Committed:
        """Publish all in one transaction and return when readers can see it.

        Raises:
            KafkaError: nothing is known to be committed; the writer cannot be used again.

        """
        producer = self._producer
        await producer.begin_transaction()
        waiting = [
            (tp, count, await producer.send_batch(batch, tp[0], partition=tp[1]))
            for tp, count, batch in self._batches(outgoing)
        ]
        last: dict[tuple[str, int], int] = {}
        broker_ms = None
        # aiokafka commits happily after a failed produce: what was sent must have arrived first.
        arrived: list[RecordMetadata] = await asyncio.gather(*(delivered for _, _, delivered in waiting))
        for (tp, count, _), metadata in zip(waiting, arrived, strict=True):
            last[tp] = metadata.offset + count - 1
            if metadata.timestamp_type == 1:  # LogAppendTime
                broker_ms = max(broker_ms or 0, metadata.timestamp)
        await producer.commit_transaction()
        return Committed(last, broker_ms)

    def _batches(self, outgoing: Iterable[Outgoing]) -> list[tuple[tuple[str, int], int, Any]]:
        """Return batches in the order to send them: first one of each partition, so that all join at once."""
        now_ms = int(time.time() * 1000)
        create = self._producer.create_batch
        made: defaultdict[tuple[str, int], list[Any]] = defaultdict(list)
        for topic, partition, key, value, headers in outgoing:
            batches, record = made[topic, partition], (key, value, list(headers))
            if not batches or not _append(batches[-1], now_ms, *record):
                batches.append(create())
                _append(batches[-1], now_ms, *record)  # an empty batch takes a record of any size
        rounds = max(map(len, made.values()), default=0)
        return [
            (tp, batches[turn].record_count(), batches[turn])
            for turn in range(rounds)
            for tp, batches in made.items()
            if turn < len(batches)
        ]

    async def close(self) -> None:
        """Leave within seconds, whatever the broker does."""
        try:
            await asyncio.wait_for(self._producer.stop(), CLOSING_S)
        except Exception:  # noqa: BLE001 - it is being left; a successor fences it
            await self.abandon()

    async def abandon(self) -> None:
        """Close the connections only."""
        self._producer._closed = True  # `stop` would wait for what can no longer be sent
        await self._producer.client.close()


def _sent(letter: Message) -> Message:
    letter = fitted(letter)
    return replace(letter, headers=(*letter.headers, _VERSION))


def _append(
    batch: Any, timestamp_ms: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
) -> bool:
    return batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers) is not None
