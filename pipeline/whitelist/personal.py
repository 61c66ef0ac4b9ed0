"""The plan of a customer who may more, or less, than the tier says: own limits, and rules that ask for nothing."""

from typing import Final

from msgspec.structs import replace

from pipeline.plan import Plan
from pipeline.whitelist.allowances import limits_of, suppressed
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.tiers import tier_in_force

# Few customers have terms of their own, and a plan is some kilobytes.
_MOST_PLANS: Final = 1_000
_Terms = tuple[int, tuple[tuple[str, int], ...], tuple[str, ...]]


class PersonalPlans:
    """Plans by terms, made when they are first asked for; those of another policy are let go."""

    def __init__(self) -> None:
        """None yet."""
        self._of: Plan | None = None
        self._plans: dict[_Terms, Plan] = {}

    def get(self, plan: Plan, dossier: Dossier, arrived_ms: int) -> Plan:
        """The plan by which a transaction of that arrival is judged; the policy's own where nothing else holds."""
        if plan is not self._of or len(self._plans) > _MOST_PLANS:
            self._of, self._plans = plan, {}
        policy = plan.policy
        tier = tier_in_force(dossier, policy, arrived_ms)
        limits = limits_of(dossier, tier, arrived_ms)
        quiet = tuple(sorted(suppressed(dossier, arrived_ms)))
        if limits == tier.limits and not quiet:
            return plan
        terms = tier.rank, tuple(sorted(limits.items())), quiet
        found = self._plans.get(terms)
        if found is None:
            tiers = tuple(replace(one, limits=limits) if one is tier else one for one in policy.tiers)
            found = Plan(replace(policy, tiers=tiers), plan.model)
            for rule in quiet:
                if rule in found.rules and found.rules[rule].mode == "live":
                    found.rules[rule].mode = "suppressed"
            self._plans[terms] = found
        return found
