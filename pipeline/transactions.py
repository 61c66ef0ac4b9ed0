"""What a record of a transaction makes: a decision, a dead letter, or nothing where it was seen before."""

from typing import Final

from pipeline.assess import Assessed, Duplicate, assess
from pipeline.books import Books
from pipeline.customer import Customer, Customers
from pipeline.labels.asked import asked_of
from pipeline.labels.desk import Desk
from pipeline.learned.asked import Batch
from pipeline.learned.cooling import Cooling
from pipeline.learned.drift import Drift
from pipeline.learned.onlooker import Onlooker
from pipeline.learned.waiting import Waiting
from pipeline.plan import Plan
from pipeline.plans import Plans
from pipeline.policy.learned import LEARNED_RULE
from pipeline.record import Message, Record
from pipeline.tally import Tally
from pipeline.validate import REVERSAL, Intake, Rejected, validate
from pipeline.whitelist.personal import PersonalPlans
from schemas.decision import OUTCOMES, Lane

_OUTCOMES: Final = len(OUTCOMES)


class Transactions:
    """Takes the transactions of one partition; those of a unit of work end with `ask`.

    `partitions` is how many there are, None where a partition means nothing.
    """

    def __init__(
        self,
        partitions: int | None,
        books: Books,
        plans: Plans,
        customers: Customers,
        desk: Desk,
        *,
        cooling: Cooling,
        tally: Tally,
    ) -> None:
        """Have seen nothing yet."""
        self.drift = Drift()
        # Who is shown what a model is asked about.
        self.onlooker: Onlooker | None = None
        # Topic and offset of those that the last unit of work had seen before.
        self.repeated: list[tuple[str, int]] = []
        self._partitions = partitions
        self._books = books
        self._plans = plans
        self._personal = PersonalPlans()
        self._customers = customers
        self._desk = desk
        self._cooling = cooling
        self._tally = tally
        self._asked: list[Waiting] = []

    def begin(self) -> None:
        """Begin a unit of work."""
        self.repeated = []
        self._asked = []

    def take(self, record: Record, lane: Lane, suspect: bool, messages: list[Message]) -> Rejected | None:  # noqa: FBT001
        """Take one record: what it says is added to `messages` last of all, so that a bug leaves no half of it."""
        plan = self._plans.at(record.timestamp)
        intake = validate(
            record, lane, plan.lateness_ms, plan.skew_ms, plan.base_currency, self._partitions, suspect=suspect
        )
        if isinstance(intake, Rejected):
            return intake
        customer = self._customers.get(intake.key)
        if customer.dossier.allowances:
            plan = self._personal.get(plan, customer.dossier, intake.arrived_ms)
        assessed = assess(customer, intake, plan, self._books.rates, self._books.lists, self._books.risks)
        if isinstance(assessed, Rejected):
            return assessed
        if isinstance(assessed, Duplicate):
            self._tally.count("duplicates", intake.lane)
            self.repeated.append((record.topic, record.offset))
            return None
        customer.history.touched = False
        customer.history_changed = True
        self._customers.changed(customer)
        outcome = plan.calm
        if isinstance(assessed, Assessed):
            outcome = assessed.outcome
            self._tally.fired(assessed.decision)
        self._count(record, intake, plan, outcome)
        self._wait(len(messages), customer, intake, plan, assessed)
        if isinstance(assessed, Assessed):
            if assessed.further:
                spikes = customer.history.profile.spikes
                self._desk.ask(customer.key, asked_of(intake, assessed.decision, spikes))
            messages.append(assessed.message)
            messages += assessed.further
        else:
            messages.append(assessed)
        return None

    def ask(self, messages: list[Message]) -> list[Message]:
        """What the model says of the unit's payments, in one call; it changes decisions, never what they stand on."""
        if not self._asked:
            return messages
        batch = Batch(self._asked)
        if self.onlooker is not None:
            self.onlooker.see(batch)
        messages, said = batch.say(messages, self.drift, self._cooling, self._customers.digest_before)
        for each in said:
            self._tally.count("signals", LEARNED_RULE, each.mode)
            if each.after != each.before:
                decided = each.plan.decided
                self._tally.count(*decided[each.tier * _OUTCOMES + each.before], by=-1)
                self._tally.count(*decided[each.tier * _OUTCOMES + each.after])
        return messages

    def _count(self, record: Record, intake: Intake, plan: Plan, outcome: int) -> None:
        tally, tier = self._tally, intake.tier
        late_ms = intake.arrived_ms - intake.occurred_ms
        moved_minor = 0 if intake.declined or intake.type_index == REVERSAL else intake.base_minor
        tally.decided(plan.decided, tier * _OUTCOMES + outcome, intake.source, late_ms, moved_minor)
        if intake.unknown_fields:
            tally.count("unknown_fields", record.topic, by=intake.unknown_fields)
        if intake.card_like_ids:
            tally.count("card_like_ids", by=intake.card_like_ids)
        if plan.priority[tier] != (intake.lane == "priority"):
            tally.count("wrong_lane", plan.tiers[tier])

    def _wait(self, place: int, customer: Customer, intake: Intake, plan: Plan, assessed: Message | Assessed) -> None:
        """Where a model is asked, let the payment wait for it until the unit was judged."""
        if intake.row:
            judged = assessed if isinstance(assessed, Assessed) else None
            self._asked.append(Waiting(place, customer.key, intake, plan, judged))
