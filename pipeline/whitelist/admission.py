"""Granting a tier: nobody is above base without approvers, evidence, an expiry and a review date."""

from dataclasses import replace

from pipeline.policy.model import ReviewTerms, Tier
from pipeline.whitelist.dossier import Dossier, Evidence, Grant
from pipeline.whitelist.entitlements import tier_in_force, tier_named
from pipeline.whitelist.review import schedule
from pipeline.whitelist.signatures import approvers
from pipeline.whitelist.transition import Case, Change, Refused, lowered_ms, refuse_raising
from schemas.customer_event import AdmissionApproved, EvidenceItem
from schemas.reasons import RefusalReason
from schemas.timestamps import format_ms, parse_ms


def approve(event: AdmissionApproved, case: Case) -> Change | Refused:
    """Put a grant in the place of the one before: a first tier, a renewal, a higher or a lower one.

    A grant below the tier in force lowers, so its delay does not stop it: its dates are judged as of when it was given,
    those of any other as of its arrival.
    """
    tier = tier_named(case.policy, event.tier)
    if tier is None:
        known = ", ".join(tier.name for tier in case.policy.tiers)
        return Refused(RefusalReason.UNKNOWN_TIER, f"{event.tier} is none of {known}")
    if tier.review is None:
        return Refused(RefusalReason.NOT_A_GRANT, f"{tier.name} is what everybody has without one")
    signed_by = approvers(event, case, tier)
    if isinstance(signed_by, Refused):
        return signed_by
    lowers = tier.rank < tier_in_force(case.dossier, case.policy, case.arrival_ms).rank
    as_of_ms = case.occurred_ms if lowers else case.arrival_ms
    grant = _grant(event, signed_by, case.occurred_ms, tier.review)
    refused = (
        _refuse_superseded(case.dossier, grant)
        or (None if lowers else refuse_raising(case))
        or _refuse_evidence(grant, as_of_ms)
        or _refuse_dates(grant, tier, tier.review, as_of_ms)
    )
    if refused is not None:
        return refused
    known_ms = lowered_ms(case.dossier, case.arrival_ms)
    if lowers:
        known_ms = max(known_ms, case.occurred_ms)
    # What is over on arrival leaves the clock nothing to say: the event itself says that base is what remains.
    announced = len(grant.steps) if grant.grace_until_ms <= case.arrival_ms else 0
    return Change(replace(case.dossier, grant=grant, announced=announced, lowered_ms=known_ms))


def _grant(event: AdmissionApproved, signed_by: tuple[str, ...], granted_ms: int, terms: ReviewTerms) -> Grant:
    review_ms, expires_ms = parse_ms(event.review_at), parse_ms(event.expires_at)
    steps = schedule(granted_ms, review_ms, expires_ms, terms)
    return Grant(
        tier=event.tier,
        event_id=event.event_id,
        approvers=signed_by,
        evidence=tuple(_evidence(item) for item in event.evidence),
        granted_ms=granted_ms,
        expires_ms=expires_ms,
        review_ms=review_ms,
        grace_until_ms=steps[-1],
        steps=steps,
    )


def _evidence(item: EvidenceItem) -> Evidence:
    expires_ms = None if item.expires_at is None else parse_ms(item.expires_at)
    return Evidence(item.kind, item.reference, parse_ms(item.issued_at), expires_ms)


def _refuse_superseded(dossier: Dossier, grant: Grant) -> Refused | None:
    """A newer grant already says what holds, whether higher or lower."""
    newest = dossier.grant
    if newest is None or grant.granted_ms > newest.granted_ms:
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"{newest.tier} was granted at {format_ms(newest.granted_ms)}")


def _refuse_evidence(grant: Grant, as_of_ms: int) -> Refused | None:
    if not grant.evidence:
        return Refused(RefusalReason.NO_EVIDENCE, "$.evidence is empty")
    for index, item in enumerate(grant.evidence):
        if item.issued_ms > grant.granted_ms:
            return Refused(RefusalReason.EVIDENCE_FROM_THE_FUTURE, f"$.evidence[{index}].issued_at is after the event")
        if item.expires_ms is not None and item.expires_ms <= as_of_ms:
            return Refused(RefusalReason.EVIDENCE_EXPIRED, f"$.evidence[{index}].expires_at is over")
    return None


def _refuse_dates(grant: Grant, tier: Tier, terms: ReviewTerms, as_of_ms: int) -> Refused | None:
    latest_expiry_ms = grant.granted_ms + tier.grant_ms
    latest_review_ms = grant.granted_ms + terms.every_ms
    if grant.expires_ms <= as_of_ms:
        return Refused(RefusalReason.EXPIRED, "$.expires_at is over")
    if grant.expires_ms > latest_expiry_ms:
        return Refused(RefusalReason.GRANT_TOO_LONG, f"$.expires_at is after {format_ms(latest_expiry_ms)}")
    if grant.review_ms >= grant.expires_ms:
        return Refused(RefusalReason.REVIEW_AFTER_EXPIRY, "$.review_at is not before $.expires_at")
    if grant.review_ms > latest_review_ms:
        return Refused(RefusalReason.REVIEW_TOO_FAR, f"$.review_at is after {format_ms(latest_review_ms)}")
    if grant.grace_until_ms <= as_of_ms:
        return Refused(RefusalReason.REVIEW_OVERDUE, "$.review_at and its grace are over")
    return None
