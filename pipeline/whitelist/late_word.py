"""What arrives after a grant and occurred before it: whether it would have kept the grant from being given."""

from dataclasses import replace

from pipeline.whitelist.dossier import Dossier, Grant
from pipeline.whitelist.transition import Case, Refused
from schemas.reasons import RefusalReason
from schemas.timestamps import format_ms


def renewed(given: Grant, held: Grant) -> Grant:
    """A grant that renews the one held, and rests on it."""
    since_ms = held.granted_ms if held.basis.since_ms is None else held.basis.since_ms
    approvers = tuple(sorted({*held.basis.approvers, *held.approvers}))
    return replace(given, basis=held.basis._replace(since_ms=since_ms, approvers=approvers))


def came_before(case: Case) -> bool:
    """It occurred before the grant was given, which did not know of it."""
    grant = case.dossier.grant
    return grant is not None and case.occurred_ms <= grant.granted_ms


def needs_what_it_renews(case: Case) -> bool:
    """The grant is a renewal, under a policy that would not have given it on paper anew."""
    grant, onboarding = case.dossier.grant, case.policy.onboarding
    renews = grant is not None and grant.basis.since_ms is not None
    return renews and onboarding is not None and not onboarding.paper


def breaks_a_renewal(case: Case) -> bool:
    """It occurred while a grant was held that was renewed since, and needed to be."""
    grant = case.dossier.grant
    since_ms = grant.basis.since_ms if grant is not None else None
    return since_ms is not None and since_ms < case.occurred_ms and came_before(case) and needs_what_it_renews(case)


def let_go(dossier: Dossier) -> Dossier:
    """Without its grant: as had the word come in time, an approval is needed that knows of it."""
    if dossier.grant is None:
        return dossier
    lowered_ms = max(dossier.lowered_ms, dossier.grant.granted_ms)
    return replace(dossier, grant=None, announced=0, lowered_ms=lowered_ms)


def nothing_newer_says_what_holds(_event: object, case: Case) -> Refused | None:
    """No newer grant says what holds, but for a renewal that it would have kept from being given."""
    newest = case.dossier.grant
    if newest is None or case.occurred_ms > newest.granted_ms or breaks_a_renewal(case):
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"{newest.tier} was granted at {format_ms(newest.granted_ms)}")
