"""Trust in a customer who leaves their own profile: lowered before a limit breaks, until somebody has looked.

Each customer above base is looked at once a day, at a moment of their own, so a look costs no payment anything.
"""

from dataclasses import replace

from pipeline.behaviour.weeks import WEEK_MS, departures
from pipeline.ids import derived_id
from pipeline.policy.model import Policy
from pipeline.turns import share_ms
from pipeline.whitelist.allowances import PROFILE_SHIFT, limits_of, suppressed
from pipeline.whitelist.causes import LOOK_WITHIN_MS
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.grounds import since_review
from pipeline.whitelist.outgoing import action, reviewed
from pipeline.whitelist.sweeping import running
from pipeline.whitelist.tiers import tier_in_force
from pipeline.whitelist.transition import Ahead, Case, Change, Tick
from schemas.account_action import AccountAction
from schemas.re_review import Departure, ReReview
from schemas.timestamps import MS_PER_DAY, format_ms


def measured_from(dossier: Dossier, policy: Policy, at_ms: int) -> Dossier:
    """The dossier, its grant measured from a moment on where the policy asks for it and nobody measured it before."""
    if policy.profile_shift is None or dossier.measured_ms is not None or running(dossier) is None:
        return dossier
    return replace(dossier, measured_ms=at_ms)


def measure_ms(dossier: Dossier, ahead: Ahead) -> int | None:
    """Once a day, at the customer's own moment; not within a week after a grant, whose approvers have seen the week."""
    grant = running(dossier)
    if grant is None or dossier.measured_ms is None:
        return None
    return _own_moment(ahead.customer_id, max(grant.granted_ms + WEEK_MS, dossier.measured_ms)) + MS_PER_DAY


def look_at_profile(dossier: Dossier, tick: Tick) -> Change:
    """Nothing that trust would have to be lowered for: look again tomorrow, unless the policy asks no more."""
    return Change(_looked(dossier, tick))


def has_shifted(dossier: Dossier, tick: Tick) -> bool:
    """The week is beyond the weeks before, and neither announced nor looked into already."""
    return bool(_departures(dossier, tick))


def lower_trust(dossier: Dossier, tick: Tick) -> Change:
    """Base authentication until a newer grant, a step-up at once, and have somebody look."""
    found, at_ms = _departures(dossier, tick), tick.clock_ms
    tier = tier_in_force(dossier, tick.policy, at_ms).name
    request = AccountAction(
        action_id=derived_id(tick.customer_id, PROFILE_SHIFT, tick.due_ms, "step_up"),
        action="step_up",
        customer_id=tick.customer_id,
        because="profile_shift",
        requested_at=format_ms(at_ms),
    )
    body = ReReview(
        request_id=derived_id(tick.customer_id, PROFILE_SHIFT, tick.due_ms),
        kind="request",
        customer_id=tick.customer_id,
        tier=tier,
        why="profile_shift",
        check=tuple(one.measure for one in found),
        requested_at=format_ms(at_ms),
        due_at=format_ms(at_ms + LOOK_WITHIN_MS),
        since_review=since_review(dossier, tick.conduct, at_ms),
        departures=found,
    )
    # As of the customer's own moment, however late the look: what was approved since then has not overlooked it.
    since_ms = _own_moment(tick.customer_id, at_ms)
    after = replace(_looked(dossier, tick), shifted_ms=since_ms, lowered_ms=max(dossier.lowered_ms, since_ms))
    return Change(after, outgoing=(action(request), reviewed(body)))


def is_trusted_again(case: Case) -> bool:
    """The grant is newer than what its approvers were to look at."""
    return case.dossier.is_trusted


def restore_trust(_customer_id: str, case: Case) -> Change:
    """The tier's own authentication holds again."""
    return Change(replace(case.dossier, shifted_ms=None))


def _looked(dossier: Dossier, tick: Tick) -> Dossier:
    is_asked = tick.policy.profile_shift is not None
    return replace(dossier, measured_ms=_own_moment(tick.customer_id, tick.clock_ms) if is_asked else None)


def _own_moment(customer_id: str, at_ms: int) -> int:
    """The newest daily moment of a customer that is not after a moment: spread over the day, always the same."""
    own_ms = share_ms(customer_id, MS_PER_DAY)
    return (at_ms - own_ms) // MS_PER_DAY * MS_PER_DAY + own_ms


def _departures(dossier: Dossier, tick: Tick) -> tuple[Departure, ...]:
    policy, weeks, at_ms = tick.policy, tick.conduct.weeks, tick.clock_ms
    if policy.profile_shift is None or weeks is None or not dossier.is_trusted:
        return ()
    tier = tier_in_force(dossier, policy, at_ms)
    is_warming = policy.warm_until_ms is not None and at_ms < policy.warm_until_ms
    if tier is policy.tiers[0] or is_warming or PROFILE_SHIFT in suppressed(dossier, at_ms):
        return ()
    return departures(weeks, policy.profile_shift, limits_of(dossier, tier, at_ms))
