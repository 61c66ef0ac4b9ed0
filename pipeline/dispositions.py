"""What a label makes, whoever says it: an analyst on its own topic, or the customer in an event."""

from pipeline.audit_chain import AuditChain
from pipeline.customer import Customer, Customers
from pipeline.labels.asked import Asked
from pipeline.labels.desk import Desk
from pipeline.learned.onlooker import Onlooker
from pipeline.messages import publish
from pipeline.plans import Plans
from pipeline.policy.model import Policy
from pipeline.record import Message, Record
from pipeline.tally import Tally
from pipeline.validate import Rejected, check_body
from pipeline.whitelist.chargeback_review import ask_for_review
from pipeline.whitelist.chargebacks import label
from pipeline.whitelist.conduct import conduct_of
from schemas.codec import Undecodable, decode_disposition
from schemas.disposition import Disposition


class Dispositions:
    """Takes the labels of one partition's payments.

    `partitions` is how many there are, None where a partition means nothing.
    """

    def __init__(
        self, partitions: int | None, plans: Plans, customers: Customers, desk: Desk, audit: AuditChain, tally: Tally
    ) -> None:
        """Keep nothing of its own: what labels say stands with the customers, and at the desk."""
        # Who is shown each label.
        self.onlooker: Onlooker | None = None
        self._partitions = partitions
        self._plans = plans
        self._customers = customers
        self._desk = desk
        self._audit = audit
        self._tally = tally

    def take(self, record: Record) -> list[Message] | Rejected:
        """Check a record, and take the label it holds."""
        try:
            said = decode_disposition(record.value or b"").message
        except Undecodable as error:
            return Rejected(error.reason, error.detail)
        rejected = check_body(record, said.customer_id, self._partitions)
        if rejected is not None:
            return rejected
        self._tally.count("dispositions", said.label, said.status)
        customer = self._customers.get(said.customer_id.encode())
        messages, _ = self.label(customer, said, self._plans.at(record.timestamp).policy, record.timestamp)
        return messages

    def label(
        self, customer: Customer, said: Disposition, policy: Policy, arrival_ms: int
    ) -> tuple[list[Message], Asked | None]:
        """What a label makes, and its payment, where that is known.

        One of fraud speaks against a tier, asked for or held; all of them against where the payment went.
        """
        if self.onlooker is not None:
            self.onlooker.hear(said, policy.labels, arrival_ms)
        messages: list[Message] = []
        spikes = customer.history.profile.spikes
        heard = self._desk.hear(customer.key, said, policy.labels, arrival_ms, spikes.has)
        self._tally.count("labels", said.label, heard.result)
        labelled = label(said, customer.dossier, arrival_ms)
        if labelled != customer.dossier:
            conduct = conduct_of(customer.history, policy, arrival_ms)
            review = ask_for_review(said, customer.dossier, labelled, policy, conduct, arrival_ms)
            messages += publish(customer.key, review, self._audit)
            customer.dossier = labelled
            customer.dossier_changed = True
            self._customers.changed(customer)
        return messages + heard.messages, heard.asked
