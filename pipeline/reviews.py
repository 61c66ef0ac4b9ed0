"""What time makes of one partition's customers: the tick announces what has come due, the tier never waited for it."""

from collections.abc import Iterable
from functools import partial

from pipeline.audit_chain import AuditChain
from pipeline.customer import Customers
from pipeline.messages import publish
from pipeline.plans import Plans
from pipeline.policy.sweeps import Sweep, begins_ms
from pipeline.record import Message
from pipeline.tally import Tally
from pipeline.usage import with_usage
from pipeline.whitelist.conduct import conduct_of
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.on_time import due, look
from pipeline.whitelist.restart import due_of
from pipeline.whitelist.review_clock import ReviewClock


class Reviews:
    """Knows when to look at whom, and looks."""

    def __init__(self, plans: Plans, customers: Customers, audit: AuditChain, tally: Tally) -> None:
        """Know of nobody yet."""
        self.clock = ReviewClock()
        self._plans = plans
        self._customers = customers
        self._audit = audit
        self._tally = tally
        # Those by which the clock was set.
        self._sweeps: tuple[Sweep, ...] = ()

    def restore(self, dossiers: Iterable[tuple[bytes, bytes]]) -> None:
        """Set the clock by the dossiers, after a recovery."""
        self._sweeps = sweeps = self._plans.sweeps
        states = ((key.decode(), value) for key, value in dossiers)
        self.clock = ReviewClock((name, due_of(name, value, sweeps)) for name, value in states)

    def schedule(self, customer_id: str, dossier: Dossier) -> None:
        """Set the clock by a dossier that has changed."""
        self.clock.put(customer_id, due(customer_id, dossier, self._plans.sweeps))

    def tick(self, clock_ms: int, most: int) -> tuple[list[Message], int]:
        """Look at those who are due until `most` have changed: what is to be said, and how many changed."""
        plan = self._plans.at(clock_ms)
        policy, sweeps = plan.policy, self._swept()
        messages: list[Message] = []
        again: list[tuple[str, int | None]] = []
        changed = 0
        # Whom a sweep names and does not concern, because of tier or age, changes nothing and does not count.
        while changed < most and (taken := self.clock.take_due(clock_ms, most - changed)):
            for customer_id in taken:
                customer = self._customers.get(customer_id.encode())
                conduct = conduct_of(customer.history, policy, clock_ms)
                announced, due_ms = look(customer_id, customer.dossier, clock_ms, policy, sweeps, conduct)
                again.append((customer_id, due_ms))
                if announced.dossier == customer.dossier:
                    continue
                changed += 1
                customer.dossier = announced.dossier
                customer.dossier_changed = True
                self._customers.changed(customer)
                for outgoing in announced.outgoing:
                    self._tally.count("announced", outgoing.topic)
                said = with_usage(announced.outgoing, customer.history, plan, clock_ms)
                messages += publish(customer.key, said, self._audit)
        for customer_id, due_ms in again:
            self.clock.put(customer_id, due_ms)
        return messages, changed

    def _due(self, customer_id: str) -> int | None:
        return due(customer_id, self._customers.get(customer_id.encode()).dossier, self._plans.sweeps)

    def _swept(self) -> tuple[Sweep, ...]:
        """All sweeps known by now; whoever a new one may concern is looked at in turn."""
        sweeps = self._plans.sweeps
        if sweeps is not self._sweeps:
            for sweep in sweeps:
                if sweep not in self._sweeps:
                    self.clock.sooner(partial(begins_ms, sweep=sweep), self._due)
            self._sweeps = sweeps
        return sweeps
