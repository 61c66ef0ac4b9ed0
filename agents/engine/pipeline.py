"""What the engine, its metrics and the read model ask of a partition's pipeline, whichever it is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pipeline.customer import Changes
from pipeline.partition import Standing
from pipeline.record import Message, Record
from pipeline.tally import Tally
from schemas.entitlement import Usage


class Pipeline(Protocol):
    """`pipeline.partition.Partition`, where each says what it does, or what a benchmark compares it with."""

    tally: Tally
    ticked: bool

    @property
    def repeated(self) -> Sequence[tuple[str, int]]:
        """Topic and offset of those that the last unit of work had seen before."""
        ...

    def take(self, records: Sequence[Record], clock_ms: int | None = None) -> list[Message]:
        """One unit of work."""
        ...

    def changes(self) -> Changes:
        """State records changed since the last call."""
        ...

    def restore(self, dossiers: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the clocks, after a recovery."""
        ...

    def standing(self) -> Standing:
        """What is known of how it stands."""
        ...

    def drift(self) -> Mapping[str, float]:
        """How far each feature has left what the model was trained on."""
        ...

    def usage(self, key: bytes) -> Usage:
        """What a customer has used of each limit."""
        ...

    def share_used(self, usage: Usage) -> tuple[str, float]:
        """The customer's tier then, and how much of a limit is used at most."""
        ...
