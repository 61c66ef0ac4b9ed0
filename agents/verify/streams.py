"""Topics read side by side, each at its own pace: what nobody has asked for yet stays with the broker."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

# How long one attempt to get more of a partition waits; another follows until its end is reached.
_TURN_MS = 500
_AT_ONCE = 2_000


class Stream:
    """The committed records of one partition of a topic, in order, up to `end`: where it ended when it was asked."""

    def __init__(self, consumer: AIOKafkaConsumer, partition: TopicPartition, first: int, end: int) -> None:
        self.topic = partition.topic
        self.number = partition.partition
        self.first = first
        self.end = end
        self._consumer = consumer
        self._partition = partition
        self.next = first
        """The offset after the last record taken."""
        self._held: deque[ConsumerRecord] = deque()
        self._ended = first >= end

    async def take(self, most: int) -> list[ConsumerRecord]:
        """Return the next `most` records, fewer only at the end."""
        taken: list[ConsumerRecord] = []
        while len(taken) < most and await self._more():
            taken += [self._held.popleft() for _ in range(min(most - len(taken), len(self._held)))]
        return self._taken(taken)

    async def before(self, offset: int) -> list[ConsumerRecord]:
        """Return all records up to this offset that were not yet taken."""
        taken: list[ConsumerRecord] = []
        while await self._more():
            while self._held and self._held[0].offset < offset:
                taken.append(self._held.popleft())
            if self._held:
                break
        return self._taken(taken)

    def _taken(self, records: list[ConsumerRecord]) -> list[ConsumerRecord]:
        if records:
            self.next = records[-1].offset + 1
        return records

    async def _more(self) -> bool:
        while not (self._held or self._ended):
            fetched = await self._consumer.getmany(self._partition, timeout_ms=_TURN_MS, max_records=_AT_ONCE)
            self._held += (record for record in fetched.get(self._partition, ()) if record.offset < self.end)
            # Positions count transaction markers and what compaction took; records alone may never reach the end.
            self._ended = await self._consumer.position(self._partition) >= self.end
        return bool(self._held)


class Streams:
    """A consumer of some partitions: `async with Streams(client, places) as streams: streams.of("journal", 0)`.

    `places` are the topic and number of each. Every stream goes from where its log begins to where it ended when
    the block was entered. Raises `KafkaError`.
    """

    def __init__(self, client: Mapping[str, Any], places: Iterable[tuple[str, int]]) -> None:
        self._consumer = AIOKafkaConsumer(
            **client,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=_AT_ONCE,
        )
        self._partitions = [TopicPartition(*each) for each in places]
        self._streams: dict[tuple[str, int], Stream] = {}

    async def __aenter__(self) -> Self:
        consumer, partitions = self._consumer, self._partitions
        await consumer.start()
        try:
            consumer.assign(partitions)
            first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
            for partition in partitions:
                self._streams[tuple(partition)] = Stream(consumer, partition, first[partition], end[partition])
        except BaseException:
            await consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    def of(self, topic: str, number: int) -> Stream:
        """Return the stream of a partition."""
        return self._streams[topic, number]
