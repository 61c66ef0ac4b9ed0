"""What is used of each limit: read from the windows, for whoever asks how much is left."""

from collections.abc import Iterable

from msgspec.structs import replace

from pipeline.history import History
from pipeline.plan import Plan
from pipeline.whitelist.outgoing import Outgoing
from schemas.entitlement import Entitlement, Used
from schemas.timestamps import format_ms


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


def with_usage(outgoing: Iterable[Outgoing], history: History, plan: Plan, at_ms: int) -> list[Outgoing]:
    """The messages, with what is used beside the limits in every entitlement."""
    return [
        one._replace(body=replace(one.body, used=used(history, plan, at_ms)))
        if isinstance(one.body, Entitlement)
        else one
        for one in outgoing
    ]
