"""What a customer may: the terms of the tier in force, as one message that stands until the next."""

from msgspec.structs import replace

from pipeline.policy.model import Policy, Tier
from pipeline.whitelist.dossier import Dossier, tier_at
from schemas.entitlement import Entitlement
from schemas.timestamps import format_ms


def tier_named(policy: Policy, name: str) -> Tier | None:
    """The tier of that name, None when the policy has none."""
    return next((tier for tier in policy.tiers if tier.name == name), None)


def tier_in_force(dossier: Dossier, policy: Policy, arrival_ms: int) -> Tier:
    """The tier whose terms hold at an arrival. A grant of a tier that the policy no longer has gives the base tier."""
    name = tier_at(dossier, arrival_ms)
    return (name is not None and tier_named(policy, name)) or policy.tiers[0]


def entitlement(customer_id: str, dossier: Dossier, policy: Policy, as_of_ms: int) -> Entitlement:
    """What is in force for a customer at a moment, as the policy in force then has it."""
    tier = tier_in_force(dossier, policy, as_of_ms)
    terms = Entitlement(
        customer_id=customer_id,
        as_of=format_ms(as_of_ms),
        tier=tier.name,
        limits=dict(tier.limits),
        fee_bps=tier.fee_bps,
        authentication=tier.authentication,
        lane="priority" if tier.priority else "standard",
        service_channel=tier.service_channel,
        frozen=dossier.frozen,
        base_currency=policy.base_currency,
        policy_version=policy.version,
        policy_hash=policy.digest,
    )
    grant = dossier.grant
    if grant is None or tier is policy.tiers[0]:
        return terms
    return replace(
        terms,
        granted_at=format_ms(grant.granted_ms),
        expires_at=format_ms(grant.expires_ms),
        review_at=format_ms(grant.review_ms),
        grace_until=format_ms(grant.grace_until_ms),
    )
