"""What an event in a customer's life makes: an applied one changes the dossier, a refused one stands on the audit."""

from pipeline.audit_chain import AuditChain
from pipeline.customer import Customer, Customers
from pipeline.dispositions import Dispositions
from pipeline.labels.desk import release
from pipeline.messages import publish
from pipeline.plan import Plan
from pipeline.plans import Plans
from pipeline.record import Message, Record
from pipeline.reviews import Reviews
from pipeline.tally import Tally
from pipeline.usage import with_usage
from pipeline.validate import Rejected, check_body
from pipeline.whitelist.conduct import conduct_of
from pipeline.whitelist.life import Applied, Duplicate, Refusal, apply
from pipeline.whitelist.transition import DeviceKnown, Labelled
from schemas.codec import Undecodable, decode_customer_event
from schemas.disposition import Disposition


class CustomerEvents:
    """Takes the events of one partition's customers.

    `partitions` is how many there are, None where a partition means nothing.
    """

    def __init__(
        self,
        partitions: int | None,
        plans: Plans,
        customers: Customers,
        *,
        reviews: Reviews,
        dispositions: Dispositions,
        audit: AuditChain,
        tally: Tally,
    ) -> None:
        """Keep nothing of its own: what events say stands with the customers."""
        self._partitions = partitions
        self._plans = plans
        self._customers = customers
        self._reviews = reviews
        self._dispositions = dispositions
        self._audit = audit
        self._tally = tally

    def take(self, record: Record) -> list[Message] | Rejected:
        """Check a record, and let the event it holds happen."""
        plan = self._plans.at(record.timestamp)
        judged = self._judge(record, plan)
        if isinstance(judged, Rejected):
            return judged
        customer, result = judged
        if isinstance(result, Duplicate):
            self._tally.count("events", "duplicate", "")
            return []
        if isinstance(result, Refusal):
            self._tally.count("events", "refused", result.reason.value)
        else:
            self._tally.count("events", "applied", "")
        return self._happen(record.timestamp, customer, result, plan)

    def _judge(self, record: Record, plan: Plan) -> tuple[Customer, Applied | Refusal | Duplicate] | Rejected:
        """The customer, and what becomes of the event: applied, refused by name, or a repeat. Changes nothing."""
        try:
            decoded = decode_customer_event(record.value or b"")
        except Undecodable as error:
            return Rejected(error.reason, error.detail)
        event = decoded.message
        rejected = check_body(record, event.customer_id, self._partitions)
        if rejected is not None:
            return rejected
        customer, policy, arrival_ms = self._customers.get(record.key or b""), plan.policy, record.timestamp
        conduct = conduct_of(customer.history, policy, arrival_ms)
        sweeps = self._plans.sweeps
        return customer, apply(event, decoded.fields, customer.dossier, policy, arrival_ms, conduct, sweeps)

    def _happen(self, arrival_ms: int, customer: Customer, result: Applied | Refusal, plan: Plan) -> list[Message]:
        history = customer.history
        history.touched = True
        if result.dossier != customer.dossier:
            customer.dossier = result.dossier
            customer.dossier_changed = True
            self._reviews.schedule(customer.key.decode(), result.dossier)
        labelled: list[Disposition] = []
        for effect in result.effects:
            if isinstance(effect, Labelled):
                labelled.append(effect.disposition)
                continue
            # As late as a transaction may be, no later: nobody makes a payee look old by backdating it.
            since_ms = max(effect.at_ms, arrival_ms - plan.lateness_ms)
            if isinstance(effect, DeviceKnown):
                history.see_device(effect.device_id, since_ms)
            else:
                history.see_payee(effect.payee_id, since_ms)
            customer.history_changed = True
        self._customers.changed(customer)
        messages = publish(customer.key, with_usage(result.outgoing, history, plan, arrival_ms), self._audit)
        for said in labelled:
            made, asked = self._dispositions.label(customer, said, plan.policy, arrival_ms)
            messages += made
            is_own = said.label == "genuine" and not customer.dossier.frozen
            if is_own and plan.policy.labels.confirmed_releases:
                messages += release(said, asked, arrival_ms)
        history.touched = False
        return messages
