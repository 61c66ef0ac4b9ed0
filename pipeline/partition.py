"""One partition's unit of work: a batch of records in, messages and changed states out.

Three failures, three shapes. Bad data is a value and becomes a dead letter with its reason. Our own bug is caught in
one place, here: the record is kept as a dead letter `crashed` and the next one goes on; past a limit, or where a
customer's state may be half changed, the worker stops rather than drops. How records are carried is the engine's
business.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pipeline.audit_chain import HEAD_KEY, AuditChain, UnreadableHeadError
from pipeline.beside import Beside
from pipeline.books import Books
from pipeline.buckets import BucketsError
from pipeline.customer import Changes, Customers, Lookup
from pipeline.customer_events import CustomerEvents
from pipeline.dispositions import Dispositions
from pipeline.entities.keeper import Entities
from pipeline.entities.ledger_bytes import UnreadableLedgerError
from pipeline.glance import suspects
from pipeline.history_bytes import StateError
from pipeline.labels.asked_bytes import UnreadableAskedError
from pipeline.labels.desk import Desk
from pipeline.learned.cooling import Cooling, UnreadableCoolingError
from pipeline.learned.onlooker import Onlooker
from pipeline.messages import dead_letter_of
from pipeline.plans import Plans
from pipeline.record import Message, Record
from pipeline.reviews import Reviews
from pipeline.tally import Tally
from pipeline.transactions import Transactions
from pipeline.usage import share_used, used
from pipeline.validate import Rejected, check_arrival
from pipeline.whitelist.dossier_bytes import UnreadableDossierError
from schemas.decision import Lane
from schemas.entitlement import Usage
from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import format_ms, parse_ms

LANES: Final[dict[str, Lane]] = {"transactions": "standard", "transactions-priority": "priority"}
MOST_CRASHES: Final = 100
_DAMAGED: Final = (
    StateError, BucketsError, UnreadableDossierError, UnreadableHeadError, UnreadableAskedError, UnreadableLedgerError,
    UnreadableCoolingError,
)  # fmt: skip
# A long outage must not make one unit of work announce a hundred thousand reviews.
MOST_ANNOUNCED: Final = 1_000


class Standing(NamedTuple):
    """How many customers are live, how many reviews are scheduled, and when the next of them is due, epoch ms."""

    customers: int
    reviews: int
    next_review_ms: int | None


class Partition:
    """All customers of one partition. Outputs and states depend on the records and clocks taken, in order, and no more.

    `partitions` is how many there are, None where a partition means nothing; `windows` and `dossiers` give the newest
    bytes of a state key, those of units not yet committed included.
    """

    def __init__(
        self,
        number: int,
        partitions: int | None,
        books: Books,
        windows: Lookup,
        dossiers: Lookup,
        cached_customers: int = 20_000,
    ) -> None:
        """Know nobody yet; customers are read when their first record comes."""
        self.number = number
        self.partitions = partitions
        self.books = books
        self.tally = tally = Tally()
        self.customers = customers = Customers(windows, dossiers, cached_customers)
        # Whether the last unit's tick changed anything, said or unsaid: it belongs to the journal then.
        self.ticked = False
        self._crashes = 0
        self._audit = audit = AuditChain(lambda: dossiers(HEAD_KEY))
        self._beside = Beside(dossiers)
        self._plans = plans = Plans(books)
        desk = Desk(self._beside)
        cooling = Cooling(self._beside)
        self.transactions = Transactions(partitions, books, plans, customers, desk, cooling=cooling, tally=tally)
        self.reviews = Reviews(plans, customers, audit, tally)
        self._dispositions = Dispositions(partitions, plans, customers, desk, audit, tally)
        self._events = CustomerEvents(
            partitions,
            plans,
            customers,
            reviews=self.reviews,
            dispositions=self._dispositions,
            audit=audit,
            tally=tally,
        )
        self._entities = Entities(self._beside, tally)

    def take(self, records: Sequence[Record], clock_ms: int | None = None) -> list[Message]:
        """One unit of work: the records in the order given, then the tick. Whatever a record holds, it has one outcome.

        Raises:
            Exception: our own bug, past its limit or with a state half changed: commit nothing of this unit and stop.

        """
        messages: list[Message] = []
        self.ticked = False
        self._plans.look_again()
        self.transactions.begin()
        closer = suspects([record.value or b"" for record in records])
        for place, record in enumerate(records):
            try:
                rejected = self._take(record, place in closer, messages)
            except _DAMAGED:
                raise  # the state's fault, not the record's: the next one of its customer would fare no better
            except Exception as error:  # noqa: BLE001 - the one place where our own bugs end
                rejected = self._crashed(record, error)
            if rejected is not None:
                self.tally.count("dead_letters", rejected.reason.value)
                messages.append(dead_letter_of(record, rejected))
        messages = self.transactions.ask(messages)
        if clock_ms is not None:
            messages += self._tick(clock_ms)
        return messages

    def changes(self) -> Changes:
        """State records changed since the last call: one truth with the input positions of the records taken."""
        changes = self.customers.take_changes()
        head = self._audit.take_change()
        if head is not None:
            changes.dossiers[HEAD_KEY] = head
        changes.dossiers.update(self._beside.take_changes())
        return changes

    @property
    def repeated(self) -> list[tuple[str, int]]:
        """Topic and offset of those that the last unit of work had seen before."""
        return self.transactions.repeated

    def standing(self) -> Standing:
        """What is known of how it stands, for metrics."""
        clock = self.reviews.clock
        return Standing(len(self.customers), len(clock), clock.next_ms())

    def drift(self) -> dict[str, float]:
        """How far each feature has left what the model was trained on, as far as one was asked."""
        return self.transactions.drift.index()

    def usage(self, key: bytes) -> Usage:
        """What a customer has used of each limit, as of the last payment: for a read model, and changes nothing."""
        history = self.customers.get(key).history
        at_ms = history.last_arrival_ms
        return Usage(customer_id=key.decode(), as_of=format_ms(at_ms), used=used(history, self._plans.at(at_ms), at_ms))

    def share_used(self, usage: Usage) -> tuple[str, float]:
        """The customer's tier then, and how much of a limit is used at most; 1.0 is all of it."""
        dossier = self.customers.get(usage.customer_id.encode()).dossier
        return share_used(usage, dossier, self._plans.at(parse_ms(usage.as_of)).policy)

    def restore(self, dossiers: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the clocks by the dossiers and what stands beside them, after a recovery."""
        known = list(dossiers)
        self._entities.restore(known)
        self.reviews.restore((key, value) for key, value in known if b"\0" not in key)

    def show(self, onlooker: Onlooker) -> None:
        """Let somebody see what a model is asked about, and each label; nothing depends on it."""
        self.transactions.onlooker = self._dispositions.onlooker = onlooker

    def _take(self, record: Record, suspect: bool, messages: list[Message]) -> Rejected | None:  # noqa: FBT001
        """Take one record: what it says is added to `messages` last of all, so that a bug leaves no half of it."""
        rejected = check_arrival(record.timestamp)
        if rejected is not None:
            return rejected
        lane = LANES.get(record.topic)
        if lane is not None:
            return self.transactions.take(record, lane, suspect, messages)
        made = self._heard(record)
        if isinstance(made, Rejected):
            return made
        messages += made
        return None

    def _heard(self, record: Record) -> list[Message] | Rejected:
        """What a record of a topic that carries no payments makes."""
        if record.topic == "customer-events":
            return self._events.take(record)
        if record.topic == "dispositions":
            return self._dispositions.take(record)
        if record.topic == "entity-labels":
            return self._entities.take(record, self.partitions)
        return Rejected(Reason.UNKNOWN_TOPIC, f"nothing here reads {record.topic}")

    def _tick(self, clock_ms: int) -> list[Message]:
        messages, changed = self.reviews.tick(clock_ms, MOST_ANNOUNCED)
        told, looked_at = self._entities.tick(clock_ms, MOST_ANNOUNCED)
        self.ticked = changed > 0 or looked_at > 0
        return messages + told

    def _crashed(self, record: Record, error: Exception) -> Rejected:
        self._crashes += 1
        if self._crashes > MOST_CRASHES or self.customers.is_touched(record.key or b""):
            raise error
        return Rejected(Reason.CRASHED, f"{type(error).__name__}: report this as a bug, then replay the dead letter")
