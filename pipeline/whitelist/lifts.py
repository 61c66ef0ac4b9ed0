"""Raising again: the end of a freeze or a suspension takes the approvals of the tier held, known by then or later."""

from dataclasses import replace

from pipeline.policy.model import Tier
from pipeline.whitelist.dossier import Dossier, Grant, Lift
from pipeline.whitelist.signatures import refuse_signatures
from pipeline.whitelist.standing import suspended
from pipeline.whitelist.transition import Case, Change, Refused, tier_held
from schemas.event import SignedEvent
from schemas.standing_event import AccountUnfrozen, TierReinstated


def signed_as_for_the_tier(event: SignedEvent, case: Case) -> Refused | None:
    """The approvals of the tier held; at base, of the lowest tier above it."""
    return refuse_signatures(event, case, _tier(case))


def lift(event: AccountUnfrozen, case: Case) -> Change:
    """Lift every freeze that stands."""
    return Change(replace(_remembered("freeze", event, case), frozen_since_ms=None))


def reinstate(event: TierReinstated, case: Case) -> Change:
    """The grant holds again, with the dates it had; what was approved meanwhile came to nothing, however late it is."""
    dossier = _remembered("suspension", event, case)
    known_ms = max(dossier.lowered_ms, case.occurred_ms)
    return Change(replace(dossier, suspended_since_ms=None, lowered_ms=known_ms))


def locked_again(dossier: Dossier, given: Grant, tier: Tier) -> Dossier:
    """The dossier when a grant comes to be known: what was lifted while it held took the approvals of its tier."""
    for one in dossier.lifts:
        if one.rank >= tier.rank or not given.granted_ms < one.at_ms < given.grace_until_ms:
            continue
        if one.of == "freeze":
            frozen_ms = one.at_ms if dossier.frozen_since_ms is None else dossier.frozen_since_ms
            dossier = replace(dossier, frozen_since_ms=frozen_ms, lowered_ms=max(dossier.lowered_ms, one.at_ms))
        elif one.of == "suspension":
            dossier = suspended(dossier, one.at_ms)
    return dossier


def to_be_lifted_as(dossier: Dossier, given: Grant, tier: Tier) -> Dossier:
    """The dossier when an approval was refused for being late: what is lifted next takes the approvals of its tier."""
    known = [one for one in dossier.lifts if one.of == "approval" and one.rank >= tier.rank]
    if any(one.at_ms >= given.grace_until_ms for one in known):
        return dossier
    return _with(dossier, Lift("approval", given.grace_until_ms, max([tier.rank, *(one.rank for one in known)])))


def _remembered(of: str, event: SignedEvent, case: Case) -> Dossier:
    """The dossier that knows of the newest lift, and the highest tier whose approvals it had."""
    rank = max(tier.rank for tier in case.policy.tiers[1:] if refuse_signatures(event, case, tier) is None)
    return _with(case.dossier, Lift(of, case.occurred_ms, rank))


def _with(dossier: Dossier, new: Lift) -> Dossier:
    """In the place of the one before."""
    others = tuple(one for one in dossier.lifts if one.of != new.of)
    return replace(dossier, lifts=tuple(sorted((*others, new))))


def _tier(case: Case) -> Tier:
    tiers = case.policy.tiers
    late = [one.rank for one in case.dossier.lifts if one.of == "approval" and case.occurred_ms < one.at_ms]
    return tiers[min(max([1, tier_held(case).rank, *late]), len(tiers) - 1)]
