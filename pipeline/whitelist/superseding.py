"""What an approval says though it is refused for being late: what it would have replaced holds no longer than it."""

from dataclasses import replace

from pipeline.whitelist.admission import can_be_granted, dates_fit, evidence_holds, not_superseded, signed_by_enough
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.given import grant_given, shortened, tier_given
from pipeline.whitelist.late_word import breaks_a_renewal, let_go
from pipeline.whitelist.lifts import locked_again, to_be_lifted_as
from pipeline.whitelist.transition import Case
from schemas.standing_event import AdmissionApproved


def trace(event: AdmissionApproved, case: Case) -> Dossier:
    """The dossier after an approval that would have held had it come in time: nothing older raises, nor outlasts it."""
    dossier, held = case.dossier, case.dossier.grant
    if not _held_in_time(event, case):
        return dossier
    given = grant_given(event, case)
    tier = tier_given(event, case)
    dossier = to_be_lifted_as(locked_again(dossier, given, tier), given, tier)
    if held is not None and not_superseded(event, case) is not None:
        is_renewed_too_late = breaks_a_renewal(case) and given.grace_until_ms <= held.granted_ms
        return let_go(dossier) if is_renewed_too_late else dossier
    superseded = replace(dossier, lowered_ms=max(dossier.lowered_ms, case.occurred_ms))
    if held is None or dossier.announced == len(held.steps):
        return superseded
    left = shortened(held, given)
    is_over = left.grace_until_ms <= case.arrival_ms
    # What is over on arrival leaves the clock nothing to say: the event itself says that base is what remains.
    announced = len(left.steps) if is_over else min(dossier.announced, len(left.steps) - 1)
    return replace(superseded, grant=left, announced=announced)


def _held_in_time(event: AdmissionApproved, case: Case) -> bool:
    """Whether it was refused for nothing but what happened since, or dates that were good when it was given."""
    in_time = case._replace(arrival_ms=case.occurred_ms)
    suspended_ms = case.dossier.suspended_since_ms
    return (
        can_be_granted(event, case) is None
        and signed_by_enough(event, case) is None
        and evidence_holds(event, in_time) is None
        and dates_fit(event, in_time) is None
        and (suspended_ms is None or suspended_ms > case.occurred_ms)
    )
