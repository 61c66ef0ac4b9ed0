"""What a customer may: the terms of the tier in force, as one message that stands until the next."""

from msgspec.structs import replace

from pipeline.policy.model import Policy
from pipeline.whitelist.allowances import limits_of, limits_until, suppressed
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.tiers import tier_in_force
from schemas.entitlement import Entitlement
from schemas.timestamps import format_ms


def entitlement(customer_id: str, dossier: Dossier, policy: Policy, as_of_ms: int) -> Entitlement:
    """What is in force for a customer at a moment, as the policy in force then has it."""
    tier = tier_in_force(dossier, policy, as_of_ms)
    proves = tier if dossier.is_trusted else policy.tiers[0]
    terms = Entitlement(
        customer_id=customer_id,
        as_of=format_ms(as_of_ms),
        tier=tier.name,
        limits=limits_of(dossier, tier, as_of_ms),
        fee_bps=tier.fee_bps,
        authentication=proves.authentication,
        lane="priority" if tier.priority else "standard",
        service_channel=tier.service_channel,
        frozen=dossier.frozen,
        base_currency=policy.base_currency,
        policy_version=policy.version,
        policy_hash=policy.digest,
        suspended=dossier.suspended_since_ms is not None and dossier.grant is not None,
    )
    grant = dossier.grant
    if grant is None or tier is policy.tiers[0]:
        return terms
    return replace(
        terms,
        trust_lowered_at=None if dossier.is_trusted else format_ms(dossier.shifted_ms or 0),
        granted_at=format_ms(grant.granted_ms),
        expires_at=format_ms(grant.expires_ms),
        review_at=format_ms(grant.review_ms),
        grace_until=format_ms(grant.grace_until_ms),
        limits_until=limits_until(dossier, tier, as_of_ms),
        suppressed_until=suppressed(dossier, as_of_ms),
    )
