"""What is used of each limit: read from the windows, for whoever asks how much is left."""

from collections.abc import Iterable

from msgspec.structs import replace

from pipeline.history import History
from pipeline.plan import Plan
from pipeline.policy.model import Policy
from pipeline.whitelist.allowances import limits_of
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.outgoing import Outgoing
from pipeline.whitelist.tiers import tier_in_force
from schemas.entitlement import Entitlement, Usage, Used
from schemas.timestamps import format_ms, parse_ms


def used(history: History, plan: Plan, at_ms: int) -> dict[str, Used]:
    """By rule, what the window that ends at a moment holds, and when its oldest entry leaves it.

    A limit of one transaction has no window, so nothing of it is ever used.
    """
    found: dict[str, Used] = {}
    for group in plan.velocities:
        timeline = history.timeline(group.mask)
        for velocity in group.velocities:
            start = velocity.window.start(at_ms)
            if start is None:
                continue
            count, amount, first, _, _ = timeline.evidence(start, at_ms, 0)
            if first is None:
                continue
            frees_at = format_ms(velocity.window.end(first))
            if velocity.amount is not None:
                found[velocity.amount.name] = Used(used=amount, frees_at=frees_at)
            if velocity.count is not None:
                found[velocity.count.name] = Used(used=count, frees_at=frees_at)
    return found


def share_used(usage: Usage, dossier: Dossier, policy: Policy) -> tuple[str, float]:
    """The tier in force as of a usage, and how much of a limit is used at most; 1.0 is all of it."""
    at_ms = parse_ms(usage.as_of)
    tier = tier_in_force(dossier, policy, at_ms)
    limits = limits_of(dossier, tier, at_ms)
    shares = [one.used / limits[rule] for rule, one in usage.used.items() if limits.get(rule)]
    return tier.name, max(shares, default=0.0)


def with_usage(outgoing: Iterable[Outgoing], history: History, plan: Plan, at_ms: int) -> list[Outgoing]:
    """The messages, with what is used beside the limits in every entitlement."""
    return [
        one._replace(body=replace(one.body, used=used(history, plan, at_ms)))
        if isinstance(one.body, Entitlement)
        else one
        for one in outgoing
    ]
