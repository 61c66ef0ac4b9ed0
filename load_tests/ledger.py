"""Double entry beside the worker: every input record has exactly one outcome, or the books do not balance."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from load_tests.life_ledger import LifeLedger
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision
from schemas.journal import JournalRecord
from schemas.topics import TRANSACTION_TOPICS


class Place(NamedTuple):
    """Where a record stands on the broker."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition} offset {self.offset}"


class Identity(msgspec.Struct, frozen=True):
    """Which transaction a record tells of, or a decision is about."""

    transaction_id: str
    customer_id: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.source}/{self.transaction_id}"


_IDENTITY = msgspec.json.Decoder(Identity)


class Ledger:
    """Counts what stands on the broker, never what the worker says of itself. A partition's records come in its order.

    The same transaction told twice is found by its identity (source, transaction id, customer), as the worker should.
    """

    def __init__(self) -> None:
        self.life = LifeLedger()
        self.transactions = 0
        self.decisions = 0
        # Records that tell again of a transaction, dead letters left out.
        self.duplicates = 0
        self.alerts = 0
        self.re_reviews = 0
        # By tier and outcome.
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.dead_letters: Counter[str] = Counter()
        # Records taken into units of work, by topic.
        self.journalled: Counter[str] = Counter()
        self._told: dict[Place, Identity | None] = {}
        self._tellings: Counter[Identity] = Counter()
        self._decided: Counter[Identity] = Counter()
        self._dead: set[Place] = set()
        self._next_journalled: dict[tuple[str, int], int] = {}
        self._strange: list[str] = []

    def transaction(self, place: Place, value: bytes | None) -> None:
        """Enter an input record of one of the two lanes."""
        self.transactions += 1
        try:
            identity = _IDENTITY.decode(value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            identity = None
        self._told[place] = identity
        if identity is not None and place not in self._dead:
            self.duplicates += self._tellings[identity] > 0
            self._tellings[identity] += 1

    def decision(self, decision: Decision) -> None:
        """Enter a decision."""
        self.decisions += 1
        self.verdicts[decision.tier, decision.outcome] += 1
        self._decided[Identity(decision.transaction_id, decision.customer_id, decision.source)] += 1

    def dead_letter(self, letter: DeadLetter) -> None:
        """Enter a dead letter; those of other topics than the lanes are not part of the books."""
        if letter.topic not in TRANSACTION_TOPICS:
            return
        place = Place(letter.topic, letter.partition, letter.offset)
        self.dead_letters[letter.reason] += 1
        if place in self._dead:
            self._strange.append(f"two dead letters for one record: {place}")
            return
        self._dead.add(place)
        if (identity := self._told.get(place)) is not None:
            self._tellings[identity] -= 1
            self.duplicates -= self._tellings[identity] > 0

    def journal(self, unit: JournalRecord) -> None:
        """Enter a unit of work: what it took must follow on what was taken before."""
        for each in unit.inputs:
            where = each.topic, unit.partition
            expected = self._next_journalled.get(where, each.first)
            if each.first != expected:
                self._strange.append(
                    f"the journal of {each.topic}/{unit.partition} goes from {expected} to {each.first}"
                )
            self._next_journalled[where] = each.next
            self.journalled[each.topic] += each.count

    @property
    def outcomes(self) -> int:
        """Records of the two lanes with an outcome."""
        return self.decisions + self.duplicates + self.dead

    @property
    def dead(self) -> int:
        """Dead letters of the two lanes."""
        return sum(self.dead_letters.values())

    def problems(self) -> Iterator[str]:
        """Yield what does not balance: nothing, when every record has exactly one outcome."""
        if self.transactions != self.outcomes:
            yield (
                f"{self.transactions} transactions, but {self.outcomes} outcomes: {self.decisions} decisions"
                f" + {self.duplicates} duplicates + {self.dead} dead letters"
            )
        told = {identity for identity, count in self._tellings.items() if count > 0}
        yield from _listed("without a decision", told - self._decided.keys())
        yield from _listed("decided, but never told", self._decided.keys() - told)
        yield from _listed("decided more than once", {each for each, count in self._decided.items() if count > 1})
        undecoded = {place for place, identity in self._told.items() if identity is None and place not in self._dead}
        yield from _listed("unreadable, but no dead letter", undecoded)
        journalled = sum(self.journalled[lane] for lane in TRANSACTION_TOPICS)
        if journalled != self.transactions:
            yield f"{self.transactions} transactions, but the journal took {journalled}"
        yield from self.life.problems(self.journalled["customer-events"])
        yield from self._strange

    def summary(self, seconds: float) -> dict[str, Any]:
        """Return the counts under the names that scripts read."""
        return {
            "transactions": self.transactions,
            "decisions": self.decisions,
            "duplicates": self.duplicates,
            "alerts": self.alerts,
            "re_reviews": self.re_reviews,
            "dead_letters": self.dead,
            "seconds": round(seconds, 1),
            "life": self.life.summary(),
        }


def _listed(what: str, items: Iterable[object]) -> Iterator[str]:
    names = sorted(map(str, items))
    if names:
        yield f"{len(names)} {what}, such as {', '.join(names[:3])}"
