"""What is a cause to look at a grant again, before its time."""

from pipeline.ids import derived_id
from pipeline.whitelist.contacts import contact
from pipeline.whitelist.evidence import EvidenceEvent, has_hit, lacks, put
from pipeline.whitelist.outgoing import Outgoing, reviewed
from pipeline.whitelist.standing import suspend_on_hit as suspend
from pipeline.whitelist.transition import Case, Change, tier_held
from schemas.application_event import ContactChanged, ScreeningCompleted
from schemas.event import Event
from schemas.re_review import ReReview, Why
from schemas.timestamps import MS_PER_DAY, format_ms

# Less than a day's alarm, more than a formality.
LOOK_WITHIN_MS = 3 * MS_PER_DAY


def is_hit(event: object, _case: Case) -> bool:
    """The screening names the customer."""
    return isinstance(event, ScreeningCompleted) and event.result == "hit"


def found_on_a_list(case: Case) -> bool:
    """The newest screening names the customer."""
    return has_hit(case.dossier)


def is_phone(event: ContactChanged, _case: Case) -> bool:
    """A telephone number changed: whoever takes an account over begins there."""
    return event.kind == "phone"


def no_longer_carries(event: EvidenceEvent, case: Case) -> bool:
    """With it, the file no longer carries the tier held, which it did before."""
    tier = tier_held(case)
    before = lacks(case.dossier, tier, case.conduct, case.arrival_ms)
    return len(lacks(put(event, case).dossier, tier, case.conduct, case.arrival_ms)) > len(before)


def suspend_on_hit(event: ScreeningCompleted, case: Case) -> Change:
    """A list names the customer: file it, suspend, and have somebody look at once."""
    asked = for_cause(event, case, "screening_hit", ("screening",), 0)
    return suspend(event, case)._replace(outgoing=(asked,))


def put_and_review(event: EvidenceEvent, case: Case) -> Change:
    """File it, and have somebody look."""
    change = put(event, case)
    found = lacks(change.dossier, tier_held(case), case.conduct, case.arrival_ms)
    check = tuple(dict.fromkeys(lack.what for lack in found))
    return change._replace(outgoing=(for_cause(event, case, "evidence_worsened", check, LOOK_WITHIN_MS),))


def contact_and_review(event: ContactChanged, case: Case) -> Change:
    """Remember it, and have somebody look."""
    return contact(event, case)._replace(
        outgoing=(for_cause(event, case, "contact_changed", ("phone",), LOOK_WITHIN_MS),)
    )


def for_cause(event: Event, case: Case, why: Why, check: tuple[str, ...], within_ms: int) -> Outgoing:
    """A request to look: it demotes nobody by itself, so it has no grace."""
    application = case.dossier.application
    asked_for = application.tier if application is not None else ""
    grant = case.dossier.grant
    request = ReReview(
        request_id=derived_id(event.customer_id, event.event_id, why),
        kind="request",
        customer_id=event.customer_id,
        tier=grant.tier if grant is not None else asked_for,
        why=why,
        check=check,
        requested_at=format_ms(case.arrival_ms),
        due_at=format_ms(case.arrival_ms + within_ms),
    )
    return reviewed(request)
