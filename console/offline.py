"""The pipeline without a broker: one partition that is all there is, its states in memory."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pipeline.books import Books
from pipeline.customer import hold
from pipeline.learned.onlooker import LookedAt, Onlooker
from pipeline.messages import dead_letter_of
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import InputRecord, Message
from pipeline.validate import Rejected
from schemas.reasons import DeadLetterReason
from schemas.timestamps import parse_ms
from schemas.topics import SHARED_TOPICS, TRANSACTION_TOPICS

__all__ = ["SHARED_TOPICS", "Offline"]

# What the pipeline writes for itself, and reads again before anything else.
INTERNAL_TOPICS = ("entity-labels", "entity-risk")


class Offline:
    """Takes records and ticks in order; what it publishes does not depend on how they are parted into batches."""

    def __init__(self, policy: Policy) -> None:
        self.books = Books(PolicyBook(policy), Rates())
        self.windows: dict[bytes, bytes] = {}
        self._dossiers: dict[bytes, bytes] = {}
        self._partition = Partition(0, None, self.books, self.windows.get, self._dossiers.get)

    def show(self, onlooker: Onlooker) -> None:
        """Show somebody what a model is asked about, instead of asking one."""
        self.books.models = LookedAt()
        self._partition.show(onlooker)

    def take(self, records: Sequence[InputRecord]) -> list[Message]:
        """Records of customers, and of topics that nobody reads; `books` takes the rest."""
        messages: list[Message] = []
        for is_payment, run in groupby(records, key=_is_payment):
            # Payments write nothing that is read again: they go together, all else one by one.
            if is_payment:
                messages += self._partition.take(list(run))
                continue
            for record in run:
                messages += self._heard(self._partition.take([record]))
        self._remember()
        return messages

    def tick(self, now_ms: int) -> list[Message]:
        """Announce all that is due; the partition announces so many at a time."""
        messages = self._heard(self._partition.take((), now_ms))
        while self._partition.ticked:
            self._remember()
            messages += self._heard(self._partition.take((), now_ms))
        return messages

    def refuse(self, record: InputRecord, detail: str) -> Message:
        """The dead letter of a line that is not even a record."""
        return dead_letter_of(record, Rejected(DeadLetterReason.NOT_A_RECORD, detail))

    def _heard(self, messages: Iterable[Message]) -> list[Message]:
        """The messages, and what follows from those that the pipeline reads again."""
        return [each for message in messages for each in (message, *self._again(message))]

    def _again(self, message: Message) -> Iterator[Message]:
        if message.topic in INTERNAL_TOPICS:
            at_ms = parse_ms(dict(message.headers)["ce_time"].decode())
            record = InputRecord(message.topic, 0, 0, at_ms, message.key, message.value, message.headers)
            is_shared = message.topic in SHARED_TOPICS
            yield from self.books.take(record) if is_shared else self._heard(self._partition.take([record]))

    def _remember(self) -> None:
        changes = self._partition.changes()
        hold(self.windows, changes.windows)
        hold(self._dossiers, changes.dossiers)


def _is_payment(record: InputRecord) -> bool:
    return record.topic in TRANSACTION_TOPICS
