"""Freezing and lifting: anybody freezes at once; lifting raises, so it takes the approvals that the tier takes."""

from dataclasses import replace

from pipeline.whitelist.entitlements import tier_in_force
from pipeline.whitelist.signatures import approvers
from pipeline.whitelist.transition import Case, Change, Refused, refuse_raising
from schemas.customer_event import AccountFrozen, AccountUnfrozen
from schemas.reasons import RefusalReason


def freeze(_event: AccountFrozen, case: Case) -> Change:
    """Freeze, whatever else is known.

    One that arrives after a later lift freezes again: whoever lifted had not seen it. One from the future is dated no
    later than the skew allows, or no lift could ever be newer.
    """
    dossier = case.dossier
    at_ms = min(case.occurred_ms, case.arrival_ms + case.policy.skew_ms)
    since_ms = at_ms if dossier.frozen_since_ms is None else min(dossier.frozen_since_ms, at_ms)
    return Change(replace(dossier, frozen_since_ms=since_ms, lowered_ms=max(dossier.lowered_ms, at_ms)))


def lift(event: AccountUnfrozen, case: Case) -> Change | Refused:
    """Lift every freeze that stands; at the base tier with the approvals of the lowest tier above it."""
    base, *above = case.policy.tiers
    tier = tier_in_force(case.dossier, case.policy, case.arrival_ms)
    signed_by = approvers(event, case, above[0] if tier is base and above else tier)
    if isinstance(signed_by, Refused):
        return signed_by
    if not case.dossier.frozen:
        return Refused(RefusalReason.NOT_FROZEN, "there is no freeze to lift")
    return refuse_raising(case) or Change(replace(case.dossier, frozen_since_ms=None))
