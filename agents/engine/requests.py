"""The three requests of a transaction as they are on the wire, for aiokafka's connections.

aiokafka describes each message by a schema that it walks field by field, there and back: nearly half of a transaction's
calls. These are written and read at once. Versions and fields are those of https://kafka.apache.org/protocol.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from struct import Struct
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import IncompatibleBrokerVersion

_HEADER = Struct(">hhih")
_INT16, _INT32 = Struct(">h"), Struct(">i")
_CODE = Struct(">ih")
_ADDED = Struct(">ih")
_WRITTEN = Struct(">ihqqq")
_PARTITION_AND_SIZE = Struct(">ii")
_IDENTITY = Struct(">qh")
_HOW = Struct(">hi")
_ALL_REPLICAS = -1


class Answered(NamedTuple):
    """What the broker says of a partition; `first` is the offset of what was written, `stamp_ms` -1 or its time."""

    place: TopicPartition
    code: int
    first: int = -1
    stamp_ms: int = -1


class Api(NamedTuple):
    """One kind of request, in the one version of it that we speak."""

    key: int
    version: int
    read: Callable[[bytes], Any]

    def decode(self, answer: BytesIO) -> Any:
        """Read an answer, whose header has been read."""
        return self.read(answer.read())


class _Header(NamedTuple):
    correlation_id: int
    sent: bytes = b""

    def encode(self) -> bytes:
        return self.sent


class Request:
    """A request that is written already, with all that `AIOKafkaConnection.send` asks of aiokafka's own."""

    def __init__(self, api: Api, body: bytes) -> None:
        self.RESPONSE_TYPE = api
        self._body = body

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> "Request":
        """Return the request as this broker understands it.

        Raises:
            IncompatibleBrokerVersion: it does not.

        """
        key, version, _ = self.RESPONSE_TYPE
        oldest, newest = versions.get(key, (0, -1))
        if not oldest <= version <= newest:
            raise IncompatibleBrokerVersion(
                f"request {key} is understood in versions {oldest} to {newest}, not {version}"
            )
        return self

    def build_request_header(self, correlation_id: int, client_id: str) -> _Header:
        """Return what goes before it."""
        key, version, _ = self.RESPONSE_TYPE
        name = client_id.encode()
        return _Header(correlation_id, _HEADER.pack(key, version, correlation_id, len(name)) + name)

    def encode(self) -> bytes:
        """Return it."""
        return self._body

    def parse_response_header(self, answer: BytesIO) -> _Header:
        """Read what goes before the answer."""
        return _Header(*_INT32.unpack(answer.read(4)))


class Requests:
    """The requests of one transactional id in one epoch."""

    def __init__(self, transactional_id: str, producer_id: int, epoch: int) -> None:
        self._id = _string(transactional_id)
        self._identity = self._id + _IDENTITY.pack(producer_id, epoch)

    def add(self, places: Iterable[TopicPartition]) -> Request:
        """Make partitions part of the transaction; answered with a list of `Answered`."""
        partitions = ((place, _INT32.pack(place.partition)) for place in places)
        return Request(_ADD, self._identity + _by_topic(partitions))

    def produce(self, batches: Iterable[tuple[TopicPartition, bytes]], timeout_ms: int) -> Request:
        """Write one batch to each of some partitions; answered with a list of `Answered`."""
        sized = ((place, _PARTITION_AND_SIZE.pack(place.partition, len(batch)) + batch) for place, batch in batches)
        return Request(_PRODUCE, self._id + _HOW.pack(_ALL_REPLICAS, timeout_ms) + _by_topic(sized))

    def end(self, *, commit: bool) -> Request:
        """End the transaction; answered with an error code."""
        return Request(_END, self._identity + bytes([commit]))


def _string(text: str) -> bytes:
    return _INT16.pack(len(encoded := text.encode())) + encoded


def _by_topic(parts: Iterable[tuple[TopicPartition, bytes]]) -> bytes:
    topics: defaultdict[str, list[bytes]] = defaultdict(list)
    for place, part in parts:
        topics[place.topic].append(part)
    return _INT32.pack(len(topics)) + b"".join(
        each
        for topic, partitions in topics.items()
        for each in (_string(topic), _INT32.pack(len(partitions)), *partitions)
    )


def _partitions(answer: bytes, at: int, form: Struct) -> Iterator[tuple[str, tuple[int, ...]]]:
    (topics,) = _INT32.unpack_from(answer, at)
    at += 4
    for _ in range(topics):
        (length,) = _INT16.unpack_from(answer, at)
        topic = answer[at + 2 : at + 2 + length].decode()
        at += 2 + length
        (partitions,) = _INT32.unpack_from(answer, at)
        at += 4
        for _ in range(partitions):
            yield topic, form.unpack_from(answer, at)
            at += form.size


def _read_added(answer: bytes) -> list[Answered]:
    return [Answered(TopicPartition(topic, number), code) for topic, (number, code) in _partitions(answer, 4, _ADDED)]


def _read_written(answer: bytes) -> list[Answered]:
    told = _partitions(answer, 0, _WRITTEN)
    return [Answered(TopicPartition(topic, each[0]), *each[1:4]) for topic, each in told]


def _read_code(answer: bytes) -> int:
    _, code = _CODE.unpack_from(answer)
    return int(code)


# The newest versions before those with tagged fields, which would tell us nothing more.
_PRODUCE = Api(0, 7, _read_written)
_ADD = Api(24, 0, _read_added)
_END = Api(26, 0, _read_code)
