"""Lowering at once: freezes, suspensions and removals take one person."""

from dataclasses import replace

from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.evidence import put_hit
from pipeline.whitelist.late_word import came_before, let_go
from pipeline.whitelist.transition import Case, Change
from pipeline.whitelist.wishes import wishes
from schemas.application_event import ScreeningCompleted
from schemas.event import Event
from schemas.standing_event import TierRemoved, TierSuspended


def freeze(_event: Event, case: Case) -> Change:
    """Freeze, whatever else is known.

    One that arrives after a later lift freezes again: whoever lifted had not seen it.
    """
    dossier, at_ms = case.dossier, case.occurred_ms
    since_ms = at_ms if dossier.frozen_since_ms is None else min(dossier.frozen_since_ms, at_ms)
    return Change(replace(dossier, frozen_since_ms=since_ms, lowered_ms=max(dossier.lowered_ms, at_ms)))


def suspend(_event: TierSuspended, case: Case) -> Change:
    """Base at once, and no admission until it is lifted, whether or not the grant is known that it was meant for."""
    return Change(_suspended_before(case.dossier, case))


def suspend_on_hit(event: ScreeningCompleted, case: Case) -> Change:
    """A list names the customer: file it, and suspend until somebody has looked."""
    return Change(_suspended_before(put_hit(event, case).dossier, case))


def _suspended_before(dossier: Dossier, case: Case) -> Dossier:
    """Nobody would have given a grant to whoever was suspended already."""
    return suspended(let_go(dossier) if came_before(case) else dossier, case.occurred_ms)


def suspended(dossier: Dossier, at_ms: int) -> Dossier:
    """The dossier with its tier suspended; what is older may not raise."""
    known = dossier.suspended_since_ms
    return replace(
        dossier,
        suspended_since_ms=at_ms if known is None else min(known, at_ms),
        allowances=wishes(dossier),
        lowered_ms=max(dossier.lowered_ms, at_ms),
    )


def note(_event: TierRemoved, case: Case) -> Change:
    """Nothing is granted: all that is remembered is that what is older may not raise."""
    return Change(replace(case.dossier, lowered_ms=max(case.dossier.lowered_ms, case.occurred_ms)))


def remove(_event: TierRemoved, case: Case) -> Change:
    """Nothing remains of the grant; a suspension does, because it takes approvals to lift one."""
    gone = replace(case.dossier, grant=None, announced=0, allowances=wishes(case.dossier))
    return Change(replace(gone, lowered_ms=max(gone.lowered_ms, case.occurred_ms)))
