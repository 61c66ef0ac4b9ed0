"""What each unit of work was made of, written with it: the inputs and this suffice to repeat it offline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import NamedTuple

from pipeline.record import Headers, Message, Record
from schemas import cloudevents, codec
from schemas.journal import InputRange, JournalRecord
from schemas.timestamps import format_ms

TOPIC = "journal"
# Header: the number of the unit within its partition, from 1. Without gaps, so that nobody can lose one unseen.
UNIT = "tw_unit"
ENGINE_VERSION = version("tierwatch")


class Seen(NamedTuple):
    """The shared knowledge that a unit was judged with: it changes only between units."""

    policy_version: int
    policy_hash: str
    policies_next: int
    rates_next: int
    lists_next: int = 0
    entity_risk_next: int = 0
    models_next: int = 0


@dataclass
class Unit:
    """One unit of work: what was taken, or the tick. `at_ms` is its highest arrival, or its tick."""

    seen: Seen
    clock_ms: int | None
    inputs: list[InputRange]
    at_ms: int = 0

    def record(self, partition: int) -> JournalRecord:
        """Return what the journal says of it."""
        return JournalRecord(
            partition=partition,
            inputs=tuple(self.inputs),
            clock=None if self.clock_ms is None else format_ms(self.clock_ms),
            engine_version=ENGINE_VERSION,
            **self.seen._asdict(),
        )

    def headers(self, partition: int, number: int) -> Headers:
        """Return its headers; what it began with names it, for no other unit did."""
        first = f"{self.inputs[0].topic}/{self.inputs[0].first}" if self.inputs else f"clock/{self.at_ms}"
        told = cloudevents.headers(JournalRecord, f"{partition}/{first}", format_ms(self.at_ms))
        return (*told, (UNIT, b"%d" % number))


class Journal:
    """The units of a partition since the last commit. A tick is one of its own; so is what follows a new policy."""

    def __init__(self, seen: Callable[[int], Seen]) -> None:
        self._seen = seen
        self._units: list[Unit] = []

    def took(self, records: Sequence[Record], duplicates: Sequence[int]) -> None:
        """Note a batch of one topic, in the order taken, and the offsets of what was seen before."""
        first, last = records[0], records[-1]
        taken = InputRange(
            topic=first.topic,
            first=first.offset,
            next=last.offset + 1,
            count=len(records),
            duplicates=tuple(duplicates),
        )
        seen = self._seen(last.timestamp)
        if not self._units or self._units[-1].seen != seen or self._units[-1].clock_ms is not None:
            self._units.append(Unit(seen, None, []))
        unit = self._units[-1]
        unit.inputs.append(taken)
        unit.at_ms = max(unit.at_ms, last.timestamp)

    def ticked(self, clock_ms: int) -> None:
        """Note a tick of the clock."""
        self._units.append(Unit(self._seen(clock_ms), clock_ms, [], at_ms=clock_ms))

    def opened(self, at_ms: int) -> None:
        """Note a new owner: a unit of nothing, whose record tells the broker's time before any tick is believed."""
        self._units.append(Unit(self._seen(at_ms), None, [], at_ms=at_ms))

    def drain(self, partition: int, before: int) -> list[Message]:
        """Return the journal's messages and begin anew; `before` is how many units the partition had done before."""
        units, self._units = self._units, []
        key = b"%d" % partition
        return [
            Message(TOPIC, key, codec.encode(unit.record(partition)), unit.headers(partition, number))
            for number, unit in enumerate(units, before + 1)
        ]
