"""Which tier: by name, in force, and as the customer is told."""

from dataclasses import replace

from pipeline.policy.model import Policy, Tier
from pipeline.whitelist.dossier import Dossier, tier_at


def tier_named(policy: Policy, name: str) -> Tier | None:
    """The tier of that name, None when the policy has none."""
    return next((tier for tier in policy.tiers if tier.name == name), None)


def tier_in_force(dossier: Dossier, policy: Policy, arrival_ms: int) -> Tier:
    """The tier whose terms hold at an arrival. A grant of a tier that the policy no longer has gives the base tier."""
    name = tier_at(dossier, arrival_ms)
    return (name is not None and tier_named(policy, name)) or policy.tiers[0]


def tier_told(dossier: Dossier, policy: Policy, arrival_ms: int) -> Tier:
    """The tier as the customer is told: a suspension is not, nor what is only otherwise because of it."""
    return tier_in_force(replace(dossier, suspended_since_ms=None), policy, arrival_ms)
