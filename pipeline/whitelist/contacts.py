"""What becomes known of a customer: where to reach them, which devices they use, whom they pay."""

from pipeline.whitelist.call_back import remember_contact
from pipeline.whitelist.dossier import Contact
from pipeline.whitelist.transition import Case, Change, DeviceKnown, PayeeKnown
from schemas.application_event import ContactChanged
from schemas.standing_event import DeviceRegistered, PayeeAdded


def contact(event: ContactChanged, case: Case) -> Change:
    """Known from when it occurred, but no longer than a record may be late: nobody makes a number look old."""
    since_ms = max(case.occurred_ms, case.arrival_ms - case.policy.lateness_ms)
    return Change(remember_contact(case.dossier, Contact(event.kind, event.reference, since_ms)))


def device(event: DeviceRegistered, case: Case) -> Change:
    """The customer's windows learn of it."""
    return Change(case.dossier, (DeviceKnown(event.device_id, case.occurred_ms),))


def payee(event: PayeeAdded, case: Case) -> Change:
    """The customer's windows learn of it."""
    return Change(case.dossier, (PayeeKnown(event.payee_id, case.occurred_ms),))
