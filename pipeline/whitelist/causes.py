"""What is a cause to look at a grant again, before its time."""

from dataclasses import replace

from pipeline.ids import derived_id
from pipeline.whitelist.call_back import tells_otherwise
from pipeline.whitelist.contacts import contact
from pipeline.whitelist.dossier import Grant
from pipeline.whitelist.evidence import EvidenceEvent, kind_of, lacks, newest_of_its_kind, put, put_if_newest
from pipeline.whitelist.grounds import since_review
from pipeline.whitelist.late_word import came_before, let_go, needs_what_it_renews
from pipeline.whitelist.outgoing import Outgoing, reviewed
from pipeline.whitelist.standing import suspend_on_hit as suspend
from pipeline.whitelist.standing import suspended
from pipeline.whitelist.transition import Case, Change, tier_held
from pipeline.whitelist.wishes import wishes
from schemas.application_event import (
    ApplicationDeclined,
    ApplicationWithdrawn,
    CallbackAnswered,
    CallbackMissed,
    ContactChanged,
    EvidenceFiled,
    ScreeningCompleted,
)
from schemas.event import Event
from schemas.re_review import ReReview, Why
from schemas.timestamps import MS_PER_DAY, format_ms

# Less than a day's alarm, more than a formality.
LOOK_WITHIN_MS = 3 * MS_PER_DAY

Against = ApplicationDeclined | ApplicationWithdrawn | CallbackAnswered | CallbackMissed | EvidenceEvent


def is_hit(event: object, _case: Case) -> bool:
    """The screening names the customer."""
    return isinstance(event, ScreeningCompleted) and event.result == "hit"


def is_phone(event: ContactChanged, _case: Case) -> bool:
    """A telephone number changed: whoever takes an account over begins there."""
    return event.kind == "phone"


def no_longer_carries(event: EvidenceEvent, case: Case) -> bool:
    """With it, the file does not carry the tier held as well as without it, or its gatherer approved on the file."""
    if any(event.actor in one.approvers for one in case.dossier.allowances):
        return True
    tier = tier_held(case)
    before = lacks(case.dossier, tier, case.conduct, case.arrival_ms)
    return len(lacks(put(event, case).dossier, tier, case.conduct, case.arrival_ms)) > len(before)


def speaks_against_the_grant(event: Against, case: Case) -> bool:
    """It occurred before the approval, which did not know of it: nobody may approve on what they gathered."""
    application, grant = case.dossier.application, case.dossier.grant
    if grant is None or not came_before(case):
        return False
    approvers = {*grant.approvers, *(grant.basis.approvers if needs_what_it_renews(case) else ())}
    if isinstance(event, EvidenceFiled) and event.actor in approvers:
        return True
    if application is None or not grant.basis.application_id:
        return False
    if isinstance(event, ApplicationWithdrawn | ApplicationDeclined):
        return event.application_id == grant.basis.application_id
    if isinstance(event, CallbackAnswered | CallbackMissed):
        decided = application._replace(application_id=grant.basis.application_id, attempts=grant.basis.attempts)
        return tells_otherwise(event, case._replace(dossier=replace(case.dossier, application=decided)))
    return no_longer_carries(event, case) or _takes_the_place(event, case, grant)


def _takes_the_place(event: EvidenceEvent, case: Case, grant: Grant) -> bool:
    """It was on file when the approval named what had been there before."""
    named = any(item.kind == kind_of(event) and item.reference != event.reference for item in grant.evidence)
    return named and newest_of_its_kind(event, case) is None


def overtaken(event: Against, case: Case) -> Change:
    """Suspend until somebody has looked at what the approval did not know; nobody would have given the grant."""
    filed = put_if_newest(event, case) if isinstance(event, EvidenceFiled) else case.dossier
    asked = for_cause(event, case, "overtaken", (str(event.__struct_config__.tag),), 0)
    return Change(suspended(let_go(filed), case.occurred_ms), outgoing=(asked,))


def suspend_on_hit(event: ScreeningCompleted, case: Case) -> Change:
    """A list names the customer: file it, suspend, and have somebody look at once."""
    asked = for_cause(event, case, "screening_hit", ("screening",), 0)
    return suspend(event, case)._replace(outgoing=(asked,))


def put_and_review(event: EvidenceEvent, case: Case) -> Change:
    """File it, and have somebody look; what the customer may beside the tier rested on the file and ends."""
    found = lacks(put(event, case).dossier, tier_held(case), case.conduct, case.arrival_ms)
    check = tuple(dict.fromkeys(lack.what for lack in found))
    asked = for_cause(event, case, "evidence_worsened", check, LOOK_WITHIN_MS)
    return Change(replace(put_if_newest(event, case), allowances=wishes(case.dossier)), outgoing=(asked,))


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
        since_review=since_review(case.dossier, case.conduct, case.arrival_ms),
    )
    return reviewed(request)
