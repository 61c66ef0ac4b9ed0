"""Lowering at once and raising again: freezes, suspensions and removals take one person, their end takes approvals."""

from dataclasses import replace

from pipeline.policy.model import Tier
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.evidence import put_hit
from pipeline.whitelist.signatures import refuse_signatures
from pipeline.whitelist.transition import Case, Change, Refused, tier_held
from pipeline.whitelist.wishes import wishes
from schemas.application_event import ScreeningCompleted
from schemas.event import Event, SignedEvent
from schemas.standing_event import AccountUnfrozen, TierReinstated, TierRemoved, TierSuspended


def freeze(_event: Event, case: Case) -> Change:
    """Freeze, whatever else is known.

    One that arrives after a later lift freezes again: whoever lifted had not seen it.
    """
    dossier, at_ms = case.dossier, case.lowered_at_ms
    since_ms = at_ms if dossier.frozen_since_ms is None else min(dossier.frozen_since_ms, at_ms)
    return Change(replace(dossier, frozen_since_ms=since_ms, lowered_ms=max(dossier.lowered_ms, at_ms)))


def lift(_event: AccountUnfrozen, case: Case) -> Change:
    """Lift every freeze that stands."""
    return Change(replace(case.dossier, frozen_since_ms=None))


def suspend(_event: TierSuspended, case: Case) -> Change:
    """Base at once, and no admission until it is lifted, whether or not the grant is known that it was meant for."""
    return Change(suspended(case.dossier, case.lowered_at_ms))


def suspend_on_hit(event: ScreeningCompleted, case: Case) -> Change:
    """A list names the customer: file it, and suspend until somebody has looked."""
    return Change(suspended(put_hit(event, case).dossier, case.lowered_at_ms))


def suspended(dossier: Dossier, at_ms: int) -> Dossier:
    """The dossier with its tier suspended; what is older may not raise."""
    known = dossier.suspended_since_ms
    return replace(
        dossier,
        suspended_since_ms=at_ms if known is None else min(known, at_ms),
        allowances=wishes(dossier),
        lowered_ms=max(dossier.lowered_ms, at_ms),
    )


def note(_event: TierRemoved, case: Case) -> Change:
    """Nothing is granted: all that is remembered is that what is older may not raise."""
    return Change(replace(case.dossier, lowered_ms=max(case.dossier.lowered_ms, case.lowered_at_ms)))


def reinstate(_event: TierReinstated, case: Case) -> Change:
    """The grant holds again, with the dates it had; what was approved meanwhile came to nothing, however late it is."""
    known_ms = max(case.dossier.lowered_ms, case.lowered_at_ms)
    return Change(replace(case.dossier, suspended_since_ms=None, lowered_ms=known_ms))


def remove(_event: TierRemoved, case: Case) -> Change:
    """Nothing remains of the grant; what was suspended after the removal, which arrives late, stays so."""
    dossier, at_ms = case.dossier, case.lowered_at_ms
    known_ms = max(dossier.lowered_ms, at_ms)
    gone = replace(
        dossier,
        grant=None,
        announced=0,
        suspended_since_ms=dossier.suspended_since_ms if dossier.lowered_ms > at_ms else None,
        allowances=wishes(dossier),
        lowered_ms=known_ms,
    )
    return Change(gone)


def signed_as_for_the_tier(event: SignedEvent, case: Case) -> Refused | None:
    """The approvals of the tier held; at base, of the lowest tier above it."""
    return refuse_signatures(event, case, _tier(case))


def _tier(case: Case) -> Tier:
    base, *above = case.policy.tiers
    tier = tier_held(case)
    return above[0] if tier is base and above else tier
