"""The seam: records in, messages and changed states out. Nothing in `pipeline/` knows how either side is carried."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """One input record, in the shape that Kafka clients give it. `timestamp` is the arrival, epoch milliseconds."""

    @property
    def topic(self) -> str:
        """Where it came from."""

    @property
    def partition(self) -> int:
        """Of the topic."""

    @property
    def offset(self) -> int:
        """Within the partition."""

    @property
    def timestamp(self) -> int:
        """The arrival, epoch milliseconds."""

    @property
    def key(self) -> bytes | None:
        """The customer, as bytes."""

    @property
    def value(self) -> bytes | None:
        """The message's own bytes; None is a tombstone."""

    @property
    def headers(self) -> Headers:
        """Name and value of each, in order."""


class InputRecord(NamedTuple):
    """A record that did not come from a Kafka client."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Message(Struct, frozen=True, gc=False):
    """One message out. A `value` of None is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
