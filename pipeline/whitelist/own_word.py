"""Was this you? The customer's own word about a payment labels it, and a denial may freeze the account at once."""

from pipeline.whitelist.standing import freeze
from pipeline.whitelist.transition import Case, Change, Labelled
from schemas.disposition import Disposition, Label
from schemas.standing_event import CustomerConfirmed, CustomerDenied
from schemas.timestamps import format_ms

Answer = CustomerConfirmed | CustomerDenied


def denial_freezes(_event: CustomerDenied, case: Case) -> bool:
    """The policy asks for it."""
    return case.policy.labels.denied == "freeze"


def deny_and_freeze(event: CustomerDenied, case: Case) -> Change:
    """Somebody else pays: nothing more goes out until a person has looked."""
    return freeze(event, case)._replace(effects=(_labelled(event, case, "fraud"),))


def deny(event: CustomerDenied, case: Case) -> Change:
    """Label the payment, no more."""
    return Change(case.dossier, (_labelled(event, case, "fraud"),))


def confirm(event: CustomerConfirmed, case: Case) -> Change:
    """Label the payment; whether one that was put on hold is let go, the policy says."""
    return Change(case.dossier, (_labelled(event, case, "genuine"),))


def _labelled(event: Answer, case: Case, label: Label) -> Labelled:
    """Provisional: whoever holds the customer's telephone may have answered."""
    return Labelled(
        Disposition(
            disposition_id=event.event_id,
            customer_id=event.customer_id,
            occurred_at=format_ms(case.occurred_ms),
            actor=event.actor,
            label=label,
            status="provisional",
            transaction_id=event.transaction_id,
            source=event.source,
        )
    )
