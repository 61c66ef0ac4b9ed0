"""A policy in shadow: what stands and comes on Kafka judged under it, beside what is really said there."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from heapq import merge
from typing import Final, Self

from msgspec.json import Decoder

from agents.settings import Settings
from agents.whole_topic import WholeTopic
from console.backtest.heard import Heard, Said
from console.backtest.history import VERDICTS, Labels
from console.backtest.run import Judged, Money
from console.offline import Offline
from pipeline.policy.model import Policy
from pipeline.record import InputRecord
from schemas.disposition import Disposition

_JUDGED: Final = ("customer-events", "transactions-priority", "transactions")
_SAID: Final = ("decisions", "alerts", "dead-letters")
_DECISION_ID: Final = re.compile(rb'"decision_id":"((?:[^"\\]|\\.)*)"')
_BATCH: Final = 10_000
_TURN_S: Final = 0.2


class Shadow:
    """Nobody reads what it says, and nothing depends on it: `judged` tells of the shadow, then of what is in force."""

    def __init__(self, settings: Settings, policy: Policy) -> None:
        """Begin with the labels and the rates that stand on Kafka."""
        self._settings = settings
        self._pipeline = Offline(policy)
        known = self._labels()
        self._shadow, self._real = Heard(known), Heard(known)
        self._money = Money(policy, known, self._pipeline)
        # Decided here and not there yet, or there and not here: what is not decided by both is not compared.
        self._alone: set[bytes] = set()
        self._first_ms, self._last_ms = 1 << 62, 0
        self._topics: dict[str, WholeTopic] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for topic in (*_JUDGED, *_SAID):
            self._topics[topic] = self._open.enter_context(WholeTopic(self._settings, topic))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def catch_up(self) -> None:
        """Judge and hear everything that stands there now."""
        merged = merge(*(self._topics[name].to_the_end() for name in _JUDGED), key=_arrival)
        for batch in _batches(merged):
            self._judge(batch)
        for name in _SAID:
            self._hear(self._topics[name].to_the_end())

    def follow(self) -> None:
        """Judge and hear what comes within a moment."""
        came = [record for name in _JUDGED for record in self._topics[name].more(_TURN_S)]
        if came:
            self._judge(sorted(came, key=_arrival))
        for name in _SAID:
            self._hear(self._topics[name].more(_TURN_S))

    @property
    def judged(self) -> Judged:
        """What both have decided."""
        said = [self._without_alone(heard.said) for heard in (self._shadow, self._real)]
        both = self._shadow.said.decisions + self._real.said.decisions - len(self._alone)
        return Judged(said, self._money.frauds, both // 2, min(self._first_ms, self._last_ms), self._last_ms)

    def _without_alone(self, said: Said) -> Said:
        fired = {name: each for name, each in said.fired.items() if name.encode() not in self._alone}
        return Said(fired, said.decisions, said.dead_letters)

    def _judge(self, batch: list[InputRecord]) -> None:
        for message in self._pipeline.take(batch):
            self._take(self._shadow, message.topic, message.value or b"")
        times = [record.timestamp for record in batch]
        self._first_ms, self._last_ms = min(self._first_ms, *times), max(self._last_ms, *times)
        self._money.take(batch)

    def _hear(self, records: Iterator[InputRecord]) -> None:
        for record in records:
            self._take(self._real, record.topic, record.value or b"")

    def _take(self, heard: Heard, topic: str, value: bytes) -> None:
        heard.hear(topic, value)
        found = _DECISION_ID.search(value) if topic == "decisions" else None
        if found is not None:
            self._alone ^= {found[1]}

    def _labels(self) -> Labels:
        known: Labels = {}
        decode = Decoder(Disposition).decode
        with WholeTopic(self._settings, "rates") as rates:
            for record in rates.to_the_end():
                self._pipeline.books.take(record)
        with WholeTopic(self._settings, "dispositions") as dispositions:
            for record in dispositions.to_the_end():
                said = decode(record.value or b"")
                if said.transaction_id and said.label in VERDICTS:
                    known[said.source, said.transaction_id] = VERDICTS[said.label]
        return known


def _arrival(record: InputRecord) -> int:
    return record.timestamp


def _batches(records: Iterator[InputRecord]) -> Iterator[list[InputRecord]]:
    batch: list[InputRecord] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
