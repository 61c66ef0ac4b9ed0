"""One partition's unit of work: a batch of records in, messages and changed states out.

Three failures, three shapes. Bad data is a value and becomes a dead letter with its reason. Our own bug is caught in
one place, here: the record is kept as a dead letter `crashed` and the next one goes on; past a limit, or where a
customer's state may be half changed, the worker stops rather than drops. How records are carried is the engine's
business.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from pipeline.assess import Assessed, Duplicate, assess
from pipeline.audit_chain import HEAD_KEY, AuditChain, UnreadableHeadError
from pipeline.beside import Beside
from pipeline.books import Books
from pipeline.buckets import BucketsError
from pipeline.cards import mask_value
from pipeline.customer import Changes, Customer, Customers, Lookup
from pipeline.customer_events import judge_event
from pipeline.entities.keeper import Entities
from pipeline.entities.ledger_bytes import UnreadableLedgerError
from pipeline.glance import suspects
from pipeline.history_bytes import StateError, digest_of, read_history
from pipeline.labels.asked import Asked, asked_of
from pipeline.labels.asked_bytes import UnreadableAskedError
from pipeline.labels.desk import Desk, release
from pipeline.learned.asked import Batch, Waiting
from pipeline.learned.cooling import Cooling, UnreadableCoolingError
from pipeline.learned.drift import Drift
from pipeline.learned.onlooker import Onlooker
from pipeline.messages import dead_letter_of, publish
from pipeline.plan import Plan
from pipeline.policy.learned import LEARNED_RULE
from pipeline.policy.model import Policy
from pipeline.policy.sweeps import Sweep, begins_ms
from pipeline.record import Message, Record
from pipeline.tally import Tally
from pipeline.usage import share_used, used, with_usage
from pipeline.validate import REVERSAL, Intake, Rejected, check_arrival, check_key, validate
from pipeline.whitelist.chargeback_review import ask_for_review
from pipeline.whitelist.chargebacks import label
from pipeline.whitelist.conduct import conduct_of
from pipeline.whitelist.dossier_bytes import UnreadableDossierError, decode
from pipeline.whitelist.life import Duplicate as Repeated
from pipeline.whitelist.life import Refusal
from pipeline.whitelist.on_time import due, look
from pipeline.whitelist.personal import PersonalPlans
from pipeline.whitelist.review_clock import ReviewClock
from pipeline.whitelist.transition import DeviceKnown, Labelled
from schemas.codec import Undecodable, decode_disposition
from schemas.decision import OUTCOMES, Lane
from schemas.disposition import Disposition
from schemas.entitlement import Usage
from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import format_ms, parse_ms

LANES: Final[dict[str, Lane]] = {"transactions": "standard", "transactions-priority": "priority"}
_OUTCOMES: Final = len(OUTCOMES)
MOST_CRASHES: Final = 100
_DAMAGED: Final = (
    StateError, BucketsError, UnreadableDossierError, UnreadableHeadError, UnreadableAskedError, UnreadableLedgerError,
    UnreadableCoolingError,
)  # fmt: skip
# A long outage must not make one unit of work announce a hundred thousand reviews.
MOST_ANNOUNCED: Final = 1_000


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
        self.tally = Tally()
        self.drift = Drift()
        self.clock = ReviewClock()
        self.customers = Customers(windows, dossiers, cached_customers)
        self.audit = AuditChain(lambda: dossiers(HEAD_KEY))
        self._beside = Beside(dossiers)
        self.desk = Desk(self._beside)
        self.entities = Entities(self._beside, self.tally)
        self._cooling = Cooling(self._beside)
        self._windows = windows
        # Topic and offset of the transactions that the last unit of work had seen before.
        self.repeated: list[tuple[str, int]] = []
        # Whether the last unit's tick changed anything, said or unsaid: it belongs to the journal then.
        self.ticked = False
        # Who is shown what a model is asked about, and each label; nothing depends on it.
        self.onlooker: Onlooker | None = None
        self._asked = Batch()
        self._crashes = 0
        # Those by which the clock was set.
        self._sweeps: tuple[Sweep, ...] = ()
        # For arrivals from the one time until before the other, the plan of the policy in force.
        self._plan = Plan(books.policies.in_force(0))
        self._personal = PersonalPlans()
        self._plan_from_ms = self._plan_until_ms = 0

    def take(self, records: Sequence[Record], clock_ms: int | None = None) -> list[Message]:
        """One unit of work: the records in the order given, then the tick. Whatever a record holds, it has one outcome.

        Raises:
            Exception: our own bug, past its limit or with a state half changed: commit nothing of this unit and stop.

        """
        messages: list[Message] = []
        self.repeated = []
        self.ticked = False
        self._asked = Batch()
        self._plan_until_ms = self._plan_from_ms  # a policy may have been approved since the last unit
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
        if self._asked.waiting:
            messages = self._ask(messages)
        if clock_ms is not None:
            messages += self._tick(clock_ms)
        return messages

    def changes(self) -> Changes:
        """State records changed since the last call: one truth with the input positions of the records taken."""
        changes = self.customers.take_changes()
        head = self.audit.take_change()
        if head is not None:
            changes.dossiers[HEAD_KEY] = head
        changes.dossiers.update(self._beside.take_changes())
        return changes

    def usage(self, key: bytes) -> Usage:
        """What a customer has used of each limit, as of the last payment: for a read model, and changes nothing."""
        history = self.customers.get(key).history
        at_ms = history.last_arrival_ms
        plan = self._plan_at(at_ms)
        return Usage(customer_id=key.decode(), as_of=format_ms(at_ms), used=used(history, plan, at_ms))

    def share_used(self, usage: Usage) -> tuple[str, float]:
        """The customer's tier then, and how much of a limit is used at most; 1.0 is all of it."""
        dossier = self.customers.get(usage.customer_id.encode()).dossier
        return share_used(usage, dossier, self._plan_at(parse_ms(usage.as_of)).policy)

    def restore(self, dossiers: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the clocks by the dossiers and what stands beside them, after a recovery."""
        self._sweeps = sweeps = self.books.policies.sweeps
        known = list(dossiers)
        self.entities.restore(known)
        customers = ((key.decode(), decode(value)) for key, value in known if b"\0" not in key)
        self.clock = ReviewClock((name, due(name, dossier, sweeps)) for name, dossier in customers)

    def _take(self, record: Record, suspect: bool, messages: list[Message]) -> Rejected | None:  # noqa: FBT001
        """Take one record: what it says is added to `messages` last of all, so that a bug leaves no half of it."""
        topic, arrived_ms = record.topic, record.timestamp
        rejected = check_arrival(arrived_ms)
        if rejected is not None:
            return rejected
        lane = LANES.get(topic)
        if lane is not None:
            plan = self._plan_at(arrived_ms)
            intake = validate(
                record, lane, plan.lateness_ms, plan.skew_ms, plan.base_currency, self.partitions, suspect=suspect
            )
            return intake if isinstance(intake, Rejected) else self._transaction(record, intake, plan, messages)
        if topic == "customer-events":
            return self._customer_event(record, messages)
        if topic == "dispositions":
            return self._disposition(record, messages)
        if topic == "entity-labels":
            told = self.entities.take(record, self.partitions)
            if isinstance(told, Rejected):
                return told
            messages += told
            return None
        return Rejected(Reason.UNKNOWN_TOPIC, f"nothing here reads {topic}")

    def _transaction(self, record: Record, intake: Intake, plan: Plan, messages: list[Message]) -> Rejected | None:
        customer = self.customers.get(intake.key)
        if customer.dossier.allowances:
            plan = self._personal.get(plan, customer.dossier, intake.arrived_ms)
        assessed = assess(customer, intake, plan, self.books.rates, self.books.lists, self.books.risks)
        if isinstance(assessed, Rejected):
            return assessed
        tally = self.tally
        if isinstance(assessed, Duplicate):
            tally.count("duplicates", intake.lane)
            self.repeated.append((record.topic, record.offset))
            return None
        customer.history.touched = False
        customer.history_changed = True
        self.customers.changed(customer)
        outcome = plan.calm
        if isinstance(assessed, Assessed):
            outcome = assessed.outcome
            tally.fired(assessed.decision)
        tier = intake.tier
        late_ms = intake.arrived_ms - intake.occurred_ms
        moved_minor = 0 if intake.declined or intake.type_index == REVERSAL else intake.base_minor
        tally.decided(plan.decided, tier * _OUTCOMES + outcome, intake.source, late_ms, moved_minor)
        if intake.unknown_fields:
            tally.count("unknown_fields", record.topic, by=intake.unknown_fields)
        if intake.card_like_ids:
            tally.count("card_like_ids", by=intake.card_like_ids)
        if plan.priority[tier] != (intake.lane == "priority"):
            tally.count("wrong_lane", plan.tiers[tier])
        self._wait(len(messages), customer, intake, plan, assessed)
        if isinstance(assessed, Assessed):
            if assessed.further:
                self.desk.ask(customer.key, asked_of(intake, assessed.decision))
            messages.append(assessed.message)
            messages += assessed.further
        else:
            messages.append(assessed)
        return None

    def _wait(self, place: int, customer: Customer, intake: Intake, plan: Plan, assessed: Message | Assessed) -> None:
        """Where a model is asked, let the payment wait for it until the unit was judged."""
        if intake.row is not None:
            judged = assessed if isinstance(assessed, Assessed) else None
            self._asked.add(Waiting(place, customer.key, intake, plan, judged), intake.row)

    def _ask(self, messages: list[Message]) -> list[Message]:
        """What the model says of the unit's payments, in one call; it changes decisions, never what they stand on."""
        if self.onlooker is not None:
            self.onlooker.see(self._asked)
        messages, said = self._asked.say(messages, self.drift, self._cooling, self._digest_before)
        for each in said:
            self.tally.count("signals", LEARNED_RULE, each.mode)
            if each.after != each.before:
                decided = each.plan.decided
                self.tally.count(*decided[each.tier * _OUTCOMES + each.before], by=-1)
                self.tally.count(*decided[each.tier * _OUTCOMES + each.after])
        return messages

    def _digest_before(self, key: bytes) -> str:
        return digest_of(key, read_history(key, self._windows))

    def _customer_event(self, record: Record, messages: list[Message]) -> Rejected | None:
        plan = self._plan_at(record.timestamp)
        sweeps = self.books.policies.sweeps
        checked = judge_event(record, self.partitions, self.customers, plan.policy, sweeps)
        if isinstance(checked, Rejected):
            return checked
        customer, result = checked
        if isinstance(result, Repeated):
            self.tally.count("events", "duplicate", "")
            return None
        if isinstance(result, Refusal):
            self.tally.count("events", "refused", result.reason.value)
        else:
            self.tally.count("events", "applied", "")
        customer.history.touched = True
        if result.dossier != customer.dossier:
            customer.dossier = result.dossier
            customer.dossier_changed = True
            customer_id = customer.key.decode()
            self.clock.put(customer_id, due(customer_id, result.dossier, sweeps))
        labelled: list[Disposition] = []
        for effect in result.effects:
            if isinstance(effect, Labelled):
                labelled.append(effect.disposition)
                continue
            # As late as a transaction may be, no later: nobody makes a payee look old by backdating it.
            since_ms = max(effect.at_ms, record.timestamp - plan.lateness_ms)
            if isinstance(effect, DeviceKnown):
                customer.history.see_device(effect.device_id, since_ms)
            else:
                customer.history.see_payee(effect.payee_id, since_ms)
            customer.history_changed = True
        self.customers.changed(customer)
        said = with_usage(result.outgoing, customer.history, plan, record.timestamp)
        messages += publish(customer.key, said, self.audit)
        for disposition in labelled:
            asked = self._label(customer, disposition, plan.policy, record.timestamp, messages)
            is_own = disposition.label == "genuine" and not customer.dossier.frozen
            if is_own and plan.policy.labels.confirmed_releases:
                messages += release(disposition, asked, record.timestamp)
        customer.history.touched = False
        return None

    def _disposition(self, record: Record, messages: list[Message]) -> Rejected | None:
        """Labels are checked here."""
        try:
            decoded = decode_disposition(record.value or b"")
        except Undecodable as error:
            return Rejected(error.reason, error.detail)
        customer_id = decoded.message.customer_id
        rejected = check_key(record, customer_id, None)
        if rejected is None and mask_value(record.value or b"")[1]:
            rejected = Rejected(Reason.CARD_NUMBER, "a card number outside the id fields")
        rejected = rejected or check_key(record, customer_id, self.partitions)
        if rejected is not None:
            return rejected
        self.tally.count("dispositions", decoded.message.label, decoded.message.status)
        customer = self.customers.get(customer_id.encode())
        self._label(customer, decoded.message, self._plan_at(record.timestamp).policy, record.timestamp, messages)
        return None

    def _label(
        self, customer: Customer, said: Disposition, policy: Policy, arrival_ms: int, messages: list[Message]
    ) -> Asked | None:
        """Labels of fraud speak against a tier, asked for or held; all of them against where the payment went."""
        if self.onlooker is not None:
            self.onlooker.hear(said, policy.labels, arrival_ms)
        heard = self.desk.hear(customer.key, said, policy.labels, arrival_ms)
        self.tally.count("labels", said.label, heard.result)
        labelled = label(said, customer.dossier, arrival_ms)
        if labelled != customer.dossier:
            conduct = conduct_of(customer.history, policy, arrival_ms)
            review = ask_for_review(said, customer.dossier, labelled, policy, conduct, arrival_ms)
            messages += publish(customer.key, review, self.audit)
            customer.dossier = labelled
            customer.dossier_changed = True
            self.customers.changed(customer)
        messages += heard.messages
        return heard.asked

    def _tick(self, clock_ms: int) -> list[Message]:
        """Announce what has come due; the tier in force never waited for it."""
        plan = self._plan_at(clock_ms)
        policy, sweeps = plan.policy, self._swept()
        messages: list[Message] = []
        again: list[tuple[str, int | None]] = []
        changed = 0
        # Whom a sweep names and does not concern, because of tier or age, changes nothing and does not count.
        while changed < MOST_ANNOUNCED and (taken := self.clock.take_due(clock_ms, MOST_ANNOUNCED - changed)):
            for customer_id in taken:
                customer = self.customers.get(customer_id.encode())
                conduct = conduct_of(customer.history, policy, clock_ms)
                announced, due_ms = look(customer_id, customer.dossier, clock_ms, policy, sweeps, conduct)
                again.append((customer_id, due_ms))
                if announced.dossier == customer.dossier:
                    continue
                changed += 1
                customer.dossier = announced.dossier
                customer.dossier_changed = True
                self.customers.changed(customer)
                for outgoing in announced.outgoing:
                    self.tally.count("announced", outgoing.topic)
                said = with_usage(announced.outgoing, customer.history, plan, clock_ms)
                messages += publish(customer.key, said, self.audit)
        for customer_id, due_ms in again:
            self.clock.put(customer_id, due_ms)
        told, looked_at = self.entities.tick(clock_ms, MOST_ANNOUNCED)
        messages += told
        self.ticked = changed > 0 or looked_at > 0
        return messages

    def _swept(self) -> tuple[Sweep, ...]:
        """All sweeps known by now; whoever a new one may concern is looked at in turn."""
        sweeps = self.books.policies.sweeps
        if sweeps is not self._sweeps:
            for sweep in sweeps:
                if sweep not in self._sweeps:
                    self.clock.sooner(partial(begins_ms, sweep=sweep))
            self._sweeps = sweeps
        return sweeps

    def _plan_at(self, arrival_ms: int) -> Plan:
        if not self._plan_from_ms <= arrival_ms < self._plan_until_ms:
            policy, self._plan_from_ms, self._plan_until_ms = self.books.policies.reign(arrival_ms)
            model = self.books.models.of(policy)
            if policy is not self._plan.policy or model is not self._plan.model:
                self._plan = Plan(policy, model)
        return self._plan

    def _crashed(self, record: Record, error: Exception) -> Rejected:
        self._crashes += 1
        if self._crashes > MOST_CRASHES or self.customers.is_touched(record.key or b""):
            raise error
        return Rejected(Reason.CRASHED, f"{type(error).__name__}: report this as a bug, then replay the dead letter")
