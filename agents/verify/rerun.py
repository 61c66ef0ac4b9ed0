"""One partition's units of work, done again offline in the order in which the journal says they were done."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.exit_codes import Exit
from agents.verify.ledger import Difference, Kind
from agents.verify.streams import Stream
from pipeline.books import Books
from pipeline.customer import hold
from pipeline.learned.onlooker import LookedAt, Onlooker
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import Message, Record
from schemas.journal import InputRange, JournalRecord
from schemas.timestamps import parse_ms


class GoneError(Exception):
    """Retention or compaction has taken what is needed; the text says what, and what to do."""

    exit_code = Exit.GONE


class Shelf:
    """The shared knowledge as a unit of work had it: policies, rates, lists and entity risk up to an offset each."""

    def __init__(self, first: Policy, records: Mapping[str, Sequence[Any]]) -> None:
        self.books = Books(PolicyBook(first), Rates())
        self._left = {topic: list(reversed(said)) for topic, said in records.items()}

    def read_to(self, next_offsets: Mapping[str, int]) -> list[Message]:
        """Apply what came before these offsets, and return what it made."""
        made: list[Message] = []
        for topic, end in next_offsets.items():
            left = self._left[topic]
            while left and left[-1].offset < end:
                made += self.books.take(left.pop())
        return made


class Rerun:
    """A partition that begins at its beginning. What does not fit the journal is in `differences`."""

    def __init__(self, number: int, partitions: int, shelf: Shelf, inputs: Mapping[str, Stream]) -> None:
        self.number = number
        self.differences: list[Difference] = []
        self.tables: dict[str, dict[bytes, bytes]] = {"windows": {}, "dossiers": {}}
        self.records = 0
        self.next: dict[str, int] = {}
        self._shelf = shelf
        self._inputs = inputs
        windows, dossiers = self.tables["windows"].get, self.tables["dossiers"].get
        self._pipeline = Partition(number, partitions, shelf.books, windows, dossiers)

    def show(self, onlooker: Onlooker) -> None:
        """Show somebody what a model is asked about, instead of asking one: what units make differs then."""
        self._shelf.books.models = LookedAt()
        self._pipeline.show(onlooker)

    async def run(self, unit: JournalRecord, offset: int) -> list[Message]:
        """Do one unit and return what it makes; `offset` is where it stands in the journal.

        Raises:
            GoneError: its inputs are not there any more.

        """
        self._shelf.read_to(
            {
                "policies": unit.policies_next,
                "rates": unit.rates_next,
                "lists": unit.lists_next,
                "entity-risk": unit.entity_risk_next,
                "models": unit.models_next,
            }
        )
        messages: list[Message] = []
        for taken in unit.inputs:
            records = await self._read(taken)
            messages += self._pipeline.take(records)
            seen_before = tuple(at for topic, at in self._pipeline.repeated if topic == taken.topic)
            self._see("duplicates", offset, taken.duplicates, seen_before)
            self._see_policy(unit, offset, records[-1].timestamp)
        if unit.clock is not None:
            clock_ms = parse_ms(unit.clock)
            messages += self._pipeline.take((), clock_ms)
            self._see_policy(unit, offset, clock_ms)
        self._remember()
        return messages

    async def _read(self, taken: InputRange) -> list[Record]:
        stream, begun = self._inputs[taken.topic], self.next.get(taken.topic, 0)
        if taken.first < begun:
            detail = f"offsets {taken.first} to {min(taken.next, begun) - 1} stand in the journal twice"
            self._differ("taken_twice", taken.topic, taken.first, detail)
        self._skipped(await stream.before(taken.first))
        records = await stream.before(taken.next)
        if len(records) != taken.count and taken.first >= begun:
            raise GoneError(
                f"{taken.topic}[{self.number}] holds {len(records)} of the {taken.count} records from offset "
                f"{taken.first} on that the journal names: retention has taken the rest. What is left cannot be "
                f"verified; give the topic a retention longer than the journal's."
            )
        self.next[taken.topic] = max(begun, taken.next)
        self.records += len(records)
        return records

    async def close(self, next_offsets: Mapping[str, int]) -> None:
        """See that all inputs were taken that the state says were."""
        for topic, stream in self._inputs.items():
            end = next_offsets.get(topic, 0)
            self._skipped(await stream.before(end))
            if end != self.next.get(topic, 0):
                detail = f"the state holds all before offset {end}, the journal all before {self.next.get(topic, 0)}"
                self._differ("journal", topic, end, detail)

    def _skipped(self, records: Sequence[Any]) -> None:
        for record in records:
            self._differ("not_taken", record.topic, record.offset, "no unit of the journal took it", record.key)

    def _see_policy(self, unit: JournalRecord, offset: int, at_ms: int) -> None:
        policy = self._shelf.books.policies.in_force(at_ms)
        self._see("policy", offset, (unit.policy_version, unit.policy_hash), (policy.version, policy.digest))

    def _see(self, what: str, offset: int, said: object, made: object) -> None:
        if said != made:
            self._differ("journal", "journal", offset, f"{what}: the journal says {said}, run again {made}")

    def _differ(self, kind: Kind, topic: str, offset: int, detail: str, key: bytes | None = None) -> None:
        shown = (key or b"").decode("utf-8", "replace")
        self.differences.append(Difference(kind, topic, self.number, offset, shown, detail))

    def _remember(self) -> None:
        for table, changes in zip(self.tables.values(), self._pipeline.changes(), strict=True):
            hold(table, changes)


def compare_states(
    topic: str, number: int, made: Mapping[bytes, bytes], there: Mapping[bytes, bytes]
) -> Iterator[Difference]:
    """Return the customers whose state is not what the journal makes of them."""
    for key in sorted(made.keys() | there.keys()):
        want, have = made.get(key), there.get(key)
        if want != have:
            sizes = ["nothing" if each is None else f"{len(each)} bytes" for each in (have, want)]
            detail = f"it holds {sizes[0]}, the journal makes {sizes[1]}"
            if want and have and len(want) == len(have):
                detail += f"; they part at byte {next(at for at in range(len(want)) if want[at] != have[at])}"
            yield Difference("state", topic, number, None, key.decode("utf-8", "replace"), detail)
