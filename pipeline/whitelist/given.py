"""What an approval gives: the tier and its grant, with all the dates that are fixed with it."""

from dataclasses import replace

from pipeline.policy.model import ReviewTerms, Tier
from pipeline.whitelist.dossier import Evidence, Grant
from pipeline.whitelist.review import schedule
from pipeline.whitelist.signatures import signers
from pipeline.whitelist.tiers import tier_named
from pipeline.whitelist.transition import Case
from schemas.event import EvidenceItem
from schemas.standing_event import AdmissionApproved
from schemas.timestamps import parse_ms


def tier_given(event: AdmissionApproved, case: Case) -> Tier:
    """The tier granted; `can_be_granted` stands before whatever asks."""
    return tier_named(case.policy, event.tier) or case.policy.tiers[0]


def terms_of(tier: Tier) -> ReviewTerms:
    """The review clock of a tier that can be granted.

    Raises:
        ValueError: it has none, so the guards were not asked.

    """
    if tier.review is None:
        raise ValueError(f"{tier.name} has no review clock, so it cannot be granted")
    return tier.review


def grant_given(event: AdmissionApproved, case: Case) -> Grant:
    """The grant, as of when it was given."""
    terms = terms_of(tier_given(event, case))
    review_ms, expires_ms = parse_ms(event.review_at), parse_ms(event.expires_at)
    steps = schedule(case.occurred_ms, review_ms, expires_ms, terms)
    return Grant(
        tier=event.tier,
        event_id=event.event_id,
        approvers=signers(event),
        evidence=tuple(map(evidence_given, event.evidence)),
        granted_ms=case.occurred_ms,
        expires_ms=expires_ms,
        review_ms=review_ms,
        grace_until_ms=steps[-1],
        steps=steps,
        dormant_ms=terms.dormant_ms,
    )


def shortened(grant: Grant, other: Grant) -> Grant:
    """The grant, over when the other is unless it is over sooner; its review is still asked for before."""
    end_ms = other.grace_until_ms
    if grant.grace_until_ms <= end_ms:
        return grant
    request_ms, *reminders, _ = grant.steps
    return replace(
        grant,
        expires_ms=min(grant.expires_ms, other.expires_ms),
        review_ms=min(grant.review_ms, other.review_ms),
        grace_until_ms=end_ms,
        steps=(min(request_ms, end_ms), *(moment for moment in reminders if moment < end_ms), end_ms),
    )


def evidence_given(item: EvidenceItem) -> Evidence:
    """One piece of what it rests on."""
    expires_ms = None if item.expires_at is None else parse_ms(item.expires_at)
    return Evidence(item.kind, item.reference, parse_ms(item.issued_at), expires_ms)
