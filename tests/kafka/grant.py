"""A grant on paper, as the bank's systems send it: for whoever needs a customer above base."""

from pipeline.policy.model import Tier
from schemas.timestamps import MS_PER_DAY, format_ms


def grant(tier: Tier, customer_id: str, at_ms: int, **more: object) -> dict[str, object]:
    """An admission to a tier, unsigned, for as long as the tier allows unless `more` says otherwise."""
    every_ms = tier.review.every_ms if tier.review is not None else 0
    return {
        "event_type": "admission.approved",
        "event_id": f"grant-{customer_id}",
        "customer_id": customer_id,
        "occurred_at": format_ms(at_ms),
        "tier": tier.name,
        "evidence": [{"kind": "identity", "reference": "doc-1", "issued_at": format_ms(at_ms - MS_PER_DAY)}],
        "expires_at": format_ms(at_ms + tier.grant_ms),
        "review_at": format_ms(at_ms + min(every_ms, tier.grant_ms // 2)),
        **more,
    }
