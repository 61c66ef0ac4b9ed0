"""The object that a fetched record is: made once for each, so with nothing that is not read of it."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher


class FetchedRecord(msgspec.Struct, frozen=True, gc=False):
    """What of aiokafka's `ConsumerRecord` anybody reads. Times in epoch milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc] # aiokafka tells no types of it
    """What a fetch brought of a partition. Stock asks for deserializers at each; none of our consumers has any."""

    def __iter__(self) -> Iterator[FetchedRecord]:
        # Stock's goes through a `__next__` in Python, for each record once more.
        return cast("Iterator[FetchedRecord]", self._records_iterator)

    def _consumer_record(self, tp: TopicPartition, record: Any) -> FetchedRecord:
        headers = record.headers
        return FetchedRecord(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp,
            record.timestamp_type,
            record.key,
            record.value,
            tuple(headers) if headers else (),
        )
