"""Follow whole topics: read them to their end before anything else starts, then keep up."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from mode import Service

from agents.log import Log
from agents.patience import connect, patiently
from agents.topics import Layout

log = Log("follow")

FETCH_MS = 200


class Follower(Service):
    """A Faust service with a consumer of its own, outside the group: every worker reads every record.

    `take` gets each committed record once, in the order of its partition;
    what it raises stops the worker.
    """

    def __init__(
        self, client: Mapping[str, Any], layout: Layout, topics: Iterable[str], take: Callable[[ConsumerRecord], None]
    ) -> None:
        super().__init__()
        self._client = client
        self._checksums = not layout.embedded
        self._partitions = [TopicPartition(topic, n) for topic in topics for n in range(layout.partitions[topic])]
        self._take = take
        self._consumer: AIOKafkaConsumer | None = None

    async def on_start(self) -> None:
        """Read to the end: who starts after this service knows all that was said before."""
        consumer = self._consumer = AIOKafkaConsumer(
            **self._client,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            check_crcs=self._checksums,
            fetch_max_wait_ms=FETCH_MS,
        )
        await connect(consumer)
        consumer.assign(self._partitions)
        await patiently("seeking", consumer.seek_to_beginning)
        left = await patiently("asking where topics end", lambda: consumer.end_offsets(self._partitions))
        read = 0
        while not self.should_stop:
            # Positions count transaction markers and what compaction took; records alone may never reach the end.
            left = {tp: end for tp, end in left.items() if await consumer.position(tp) < end}
            if not left:
                break
            read += await self._fetch(consumer)
        log.info("read", topics=",".join(sorted({tp.topic for tp in self._partitions})), records=read)

    async def _fetch(self, consumer: AIOKafkaConsumer) -> int:
        fetched = await consumer.getmany(timeout_ms=FETCH_MS)
        for records in fetched.values():
            for record in records:
                self._take(record)
        return sum(map(len, fetched.values()))

    @Service.task
    async def _follow(self) -> None:
        while not self.should_stop and self._consumer is not None:
            await self._fetch(self._consumer)

    async def on_stop(self) -> None:
        """Leave the broker."""
        if self._consumer is not None:
            await self._consumer.stop()
