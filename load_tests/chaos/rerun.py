"""One partition done again, in the order that its journal says: the pipeline, and nothing of the engine."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

import msgspec

from pipeline.books import Books
from pipeline.customer import hold
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import InputRecord, Message
from schemas.journal import InputRange, JournalRecord
from schemas.timestamps import parse_ms
from schemas.topics import INPUT_TOPICS, TRANSACTION_TOPICS

_journal = msgspec.json.Decoder(JournalRecord).decode
_UNDISTURBED_BATCH = 1_000


class Rerun:
    """What a partition's inputs make. `taken` counts how often the journal took each record, by (topic, offset)."""

    def __init__(
        self, number: int, partitions: int, first: Policy, shared: Mapping[str, Sequence[InputRecord]]
    ) -> None:
        self.messages: list[Message] = []
        self.tables: dict[str, dict[bytes, bytes]] = {"windows": {}, "dossiers": {}}
        self.taken: Counter[tuple[str, int]] = Counter()
        # Where in the journal each range stands, for whoever asks why a record was taken twice.
        self._told: list[tuple[int, InputRange]] = []
        # Transactions of which the journal says that they had been told before.
        self.duplicates = 0
        # Versions of the policy that units were judged by.
        self.policies: set[int] = set()
        self._shared = {topic: list(reversed(records)) for topic, records in shared.items()}
        self._books = Books(PolicyBook(first), Rates())
        windows, dossiers = self.tables["windows"].get, self.tables["dossiers"].get
        self._pipeline = Partition(number, partitions, self._books, windows, dossiers)

    def by_journal(self, journal: Sequence[InputRecord], inputs: Mapping[str, Sequence[InputRecord]]) -> None:
        """Do again what the journal says was done."""
        at_hand = {topic: {record.offset: record for record in records} for topic, records in inputs.items()}
        for entry in journal:
            unit = _journal(entry.value or b"")
            self._told += [(entry.offset, taken) for taken in unit.inputs]
            self.policies.add(unit.policy_version)
            self._read("policies", unit.policies_next)
            self._read("rates", unit.rates_next)
            self._read("lists", unit.lists_next)
            self._read("entity-risk", unit.entity_risk_next)
            self._read("models", unit.models_next)
            records = [record for taken in unit.inputs for record in self._records(taken, at_hand)]
            self._take(records, None if unit.clock is None else parse_ms(unit.clock))

    def told_of(self, topic: str, offset: int) -> list[str]:
        """Say where the journal tells of a record, and of how much around it."""
        return [
            f"journal {at} takes {taken.first} to {taken.next}, {taken.count} records, {len(taken.duplicates)} known"
            for at, taken in self._told
            if taken.topic == topic and taken.first <= offset < taken.next
        ]

    def undisturbed(self, inputs: Mapping[str, Sequence[InputRecord]]) -> None:
        """Do all inputs, topic after topic: right for customers who are in one topic only."""
        for topic in INPUT_TOPICS:
            records = inputs[topic]
            for first in range(0, len(records), _UNDISTURBED_BATCH):
                self._take(records[first : first + _UNDISTURBED_BATCH], None)

    def _records(self, taken: InputRange, at_hand: Mapping[str, Mapping[int, InputRecord]]) -> Iterator[InputRecord]:
        if taken.topic in TRANSACTION_TOPICS:
            self.duplicates += len(taken.duplicates)
        records = at_hand[taken.topic]
        for offset in range(taken.first, taken.next):
            if (record := records.get(offset)) is not None:
                self.taken[taken.topic, offset] += 1
                yield record

    def _read(self, topic: str, end: int) -> None:
        left = self._shared[topic]
        while left and left[-1].offset < end:
            self._books.take(left.pop())

    def _take(self, records: Sequence[InputRecord], clock_ms: int | None) -> None:
        self.messages += self._pipeline.take(records, clock_ms)
        for table, changes in zip(self.tables.values(), self._pipeline.changes(), strict=True):
            hold(table, changes)


def said_by_all(first: Policy, shared: Mapping[str, Sequence[InputRecord]]) -> list[Message]:
    """Return what the records of the shared topics make, once for all workers."""
    books = Books(PolicyBook(first), Rates())
    records = sorted((record for each in shared.values() for record in each), key=attrgetter("timestamp", "offset"))
    return [message for record in records for message in books.take(record)]
