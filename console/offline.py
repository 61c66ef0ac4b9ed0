"""The pipeline without a broker: one partition that is all there is, its states in memory."""

from collections.abc import Mapping, Sequence

from pipeline.books import Books
from pipeline.messages import dead_letter_of
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import InputRecord, Message
from pipeline.validate import Rejected
from schemas.reasons import DeadLetterReason
from schemas.topics import SHARED_TOPICS

__all__ = ["SHARED_TOPICS", "Offline"]


class Offline:
    """Takes records and ticks in order; what it publishes does not depend on how they are parted into batches."""

    def __init__(self, policy: Policy) -> None:
        self.books = Books(PolicyBook(policy), Rates())
        self.windows: dict[bytes, bytes] = {}
        self._dossiers: dict[bytes, bytes] = {}
        self._partition = Partition(0, None, self.books, self.windows.get, self._dossiers.get)

    def take(self, records: Sequence[InputRecord]) -> list[Message]:
        """Records of customers, and of topics that nobody reads; `books` takes the rest."""
        messages = self._partition.take(records)
        self._remember()
        return messages

    def tick(self, now_ms: int) -> list[Message]:
        """Announce all that is due; the partition announces so many at a time."""
        messages: list[Message] = []
        messages += self._partition.take((), now_ms)
        while self._partition.ticked:
            self._remember()
            messages += self._partition.take((), now_ms)
        return messages

    def refuse(self, record: InputRecord, detail: str) -> Message:
        """The dead letter of a line that is not even a record."""
        return dead_letter_of(record, Rejected(DeadLetterReason.NOT_A_RECORD, detail))

    def _remember(self) -> None:
        changes = self._partition.changes()
        _apply(changes.windows, self.windows)
        _apply(changes.dossiers, self._dossiers)


def _apply(changes: Mapping[bytes, bytes | None], states: dict[bytes, bytes]) -> None:
    for key, state in changes.items():
        if state is None:
            states.pop(key, None)
        else:
            states[key] = state
