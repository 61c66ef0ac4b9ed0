"""Kafka's transaction protocol for the owner of one partition: three requests a transaction, on aiokafka's connections.

aiokafka's producer serves many callers who send single records: what it sends passes through an accumulator, a task,
sets of muted partitions and a future for each batch, and a transaction takes three times as many calls and twice the
CPU time. Here all batches of a transaction are known when it begins.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    ConcurrentTransactions,
    InvalidProducerEpoch,
    KafkaError,
    LeaderNotAvailableError,
    OperationNotAttempted,
    ProducerFenced,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from aiokafka.protocol.transaction import InitProducerIdRequest

from agents.engine.batches import Batch
from agents.engine.requests import Answered, Requests

T = TypeVar("T")

# A worker that hangs hides its partition from readers for as long; then the broker aborts.
TIMEOUT_MS = 15_000
# What Kafka cannot do just now is asked for again after so long.
BACKOFF_S = 0.02
# A third of our transactions meet the markers of the one before, for which the broker needs about one millisecond.
MARKERS_S = 0.0005
SEQUENCES = 2**31


class Written(NamedTuple):
    """Where the last record of a partition stands, and when the broker took it, if it stamps this topic."""

    last: int
    broker_ms: int | None


class _Sequenced(NamedTuple):
    records: int
    encoded: bytes


Waiting: TypeAlias = dict[TopicPartition, deque[_Sequenced]]


class Transactions:
    """One transaction after another; opening it fences every earlier owner and aborts its transaction.

    Each step is repeated while Kafka says that it may help, and is safe to repeat: partitions are added once, batches
    carry sequence numbers, and the end of a transaction stays what it was. After `TIMEOUT_MS` the coordinator has
    aborted the transaction in any case.
    """

    def __init__(self, transactional_id: str, client: Mapping[str, Any]) -> None:
        self.client = AIOKafkaClient(**client, client_id=transactional_id)
        self._id = transactional_id
        self._producer_id = self._epoch = -1
        self._sequences: defaultdict[TopicPartition, int] = defaultdict(int)
        self._coordinator: int | None = None

    async def open(self, topics: Iterable[str]) -> dict[str, int]:
        """Become the only one of this transactional id, and return how many partitions each of `topics` has.

        Raises:
            KafkaError: the broker does not answer, or does not allow it.

        """
        topics = list(topics)
        await self.client.bootstrap()
        # For else aiokafka asks for all topics of the cluster now and then, and reads the answer in Python.
        await self.client.set_topics(topics)
        await self._insist(self._init)
        return {topic: len(await self.client._wait_on_metadata(topic)) for topic in topics}

    async def commit(self, batches: Collection[Batch]) -> dict[TopicPartition, Written]:
        """Publish all batches in one transaction; those of one partition in their order.

        Raises:
            KafkaError: nothing is known to be committed, and no transaction can follow.

        """
        waiting: Waiting = defaultdict(deque)
        for batch in batches:
            place = TopicPartition(batch.topic, batch.partition)
            first = self._sequences[place]
            batch.builder.set_producer_state(self._producer_id, self._epoch, first)
            self._sequences[place] = (first + batch.records) % SEQUENCES
            waiting[place].append(_Sequenced(batch.records, bytes(batch.builder.build())))
        written: dict[TopicPartition, Written] = {}
        await self._insist(partial(self._add, list(waiting)))
        await self._insist(partial(self._produce, waiting, written))
        await self._insist(partial(self._end, commit=True))
        return written

    async def abort(self, places: Collection[TopicPartition]) -> None:
        """Write the marker of an aborted transaction to partitions.

        Raises:
            KafkaError: it is not known to be there.

        """
        await self._insist(partial(self._add, places))
        await self._insist(partial(self._end, commit=False))

    async def _insist(self, step: Callable[[], Awaitable[T]]) -> T:
        until = time.monotonic() + TIMEOUT_MS / 1000
        pause = MARKERS_S
        while True:
            try:
                return await step()
            except ConcurrentTransactions:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, BACKOFF_S)
            except KafkaError as error:
                if not error.retriable or time.monotonic() > until:
                    raise
                self._coordinator = None
                await self.client.force_metadata_update()
                await asyncio.sleep(BACKOFF_S)

    async def _init(self) -> None:
        told = await self._ask_coordinator(InitProducerIdRequest(self._id, TIMEOUT_MS))
        _check(told.error_code, self._id)
        self._producer_id, self._epoch = told.producer_id, told.producer_epoch
        self._requests = Requests(self._id, told.producer_id, told.producer_epoch)

    async def _add(self, places: Iterable[TopicPartition]) -> None:
        told = await self._ask_coordinator(self._requests.add(places))
        refused = [each for each in told if each.code]
        # Where one is refused, the others are not attempted: that says nothing.
        for place, code, *_ in sorted(refused, key=lambda each: each.code == OperationNotAttempted.errno):
            _check(code, place.topic)

    async def _end(self, *, commit: bool) -> None:
        _check(await self._ask_coordinator(self._requests.end(commit=commit)), self._id)

    async def _ask_coordinator(self, request: Any) -> Any:
        if self._coordinator is None:
            try:
                self._coordinator = await self.client.coordinator_lookup(CoordinationType.TRANSACTION, self._id)
            except TransactionalIdAuthorizationFailed as error:
                raise TransactionalIdAuthorizationFailed(self._id) from error  # which aiokafka leaves out
        return await self.client.send(self._coordinator, request)

    async def _produce(self, waiting: Waiting, written: dict[TopicPartition, Written]) -> None:
        """Send what waits, one batch of each partition at a time: a request takes no more."""
        while waiting:
            led: defaultdict[int, list[tuple[TopicPartition, bytes]]] = defaultdict(list)
            for place, batches in waiting.items():
                led[self._leader(place)].append((place, batches[0].encoded))
            asked = [self.client.send(leader, self._requests.produce(sent, TIMEOUT_MS)) for leader, sent in led.items()]
            # Most clusters that are small have one leader for all, and `gather` makes a task of each.
            told = [await asked[0]] if len(asked) == 1 else await asyncio.gather(*asked, return_exceptions=True)
            failures: list[BaseException] = []
            for answer in told:
                if isinstance(answer, BaseException):
                    failures.append(answer)
                else:
                    failures += _arrived(answer, waiting, written)
            if failures:
                raise next((each for each in failures if not getattr(each, "retriable", False)), failures[0])

    def _leader(self, place: TopicPartition) -> int:
        leader: int | None = self.client.cluster.leader_for_partition(place)
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(f"{place.topic}[{place.partition}]")
        return leader

    async def close(self) -> None:
        """Leave; what is open, a successor aborts."""
        await self.client.close()


def _check(code: int, about: str) -> None:
    if code:
        error = for_code(code)
        raise ProducerFenced if error is InvalidProducerEpoch else error(about)


def _arrived(told: Iterable[Answered], waiting: Waiting, written: dict[TopicPartition, Written]) -> list[KafkaError]:
    """Take what has arrived out of what waits, and return why the rest has not."""
    failures: list[KafkaError] = []
    for place, code, first, stamp_ms in told:
        try:
            _check(code, place.topic)
        except KafkaError as error:
            failures.append(error)
            continue
        batches = waiting[place]
        written[place] = Written(first + batches.popleft().records - 1, None if stamp_ms < 0 else stamp_ms)
        if not batches:
            del waiting[place]
    return failures
