"""Causes that the clock finds: sweeps, which make many due at once and ask for each in its turn, and dormancy."""

from collections.abc import Iterator
from dataclasses import replace

from pipeline.ids import derived_id
from pipeline.policy.sweeps import Sweep, Why, begins_ms
from pipeline.turns import share_ms
from pipeline.whitelist.dossier import NEVER, Dossier, Grant
from pipeline.whitelist.grounds import since_review
from pipeline.whitelist.outgoing import reviewed
from pipeline.whitelist.transition import Ahead, Change, Tick
from schemas.re_review import ReReview
from schemas.re_review import Why as Cause
from schemas.timestamps import MS_PER_DAY, format_ms

# Nobody did anything wrong: time for a desk that has thousands of them.
LOOK_WITHIN_MS = 14 * MS_PER_DAY


def swept_ms(dossier: Dossier, ahead: Ahead) -> int | None:
    """When it is the customer's turn, after a policy was tightened or a screening list changed."""
    return min((begins_ms(ahead.customer_id, sweep) for sweep in _unseen(dossier, ahead)), default=None)


def ask(dossier: Dossier, tick: Tick) -> Change:
    """Ask for a review because of what changed for many: it demotes nobody by itself."""
    sweep = min(_unseen(dossier, tick.ahead), key=lambda one: begins_ms(tick.customer_id, one))
    swept = {**dict(dossier.swept), sweep.why: sweep.effective_ms}
    after = replace(dossier, swept=tuple(sorted(swept.items())))
    if sweep.why != "attestation_revoked":
        return _asked(after, tick, sweep.why, sweep.check)
    gone = tuple(filed.kind for filed in dossier.file if filed.reference in sweep.check)
    left = tuple(filed for filed in dossier.file if filed.reference not in sweep.check)
    return _asked(replace(after, file=left), tick, sweep.why, gone)


def silent_ms(dossier: Dossier, ahead: Ahead) -> int | None:
    """When a customer has been silent for so long that the tier's terms call the grant dormant, and up to a day more.

    Many are admitted in the same minute and never use what they were granted.
    """
    grant = running(dossier)
    if grant is None or grant.dormant_ms == 0:
        return None
    return max(grant.granted_ms, dossier.active_ms) + grant.dormant_ms + share_ms(ahead.customer_id, MS_PER_DAY)


def look_for_life(dossier: Dossier, tick: Tick) -> Change:
    """Ask for a review of a grant that nobody uses; whoever paid meanwhile is looked at again as long after that."""
    paid_ms = tick.conduct.paid_ms
    grant = dossier.grant
    if paid_ms is not None and grant is not None and paid_ms + grant.dormant_ms > tick.due_ms:
        return Change(replace(dossier, active_ms=paid_ms))
    return _asked(replace(dossier, active_ms=tick.due_ms), tick, "dormant", ("use_of_tier",))


def _unseen(dossier: Dossier, ahead: Ahead) -> Iterator[Sweep]:
    """The newest sweep of each cause that the grant's last review has not seen, and that was not asked for yet."""
    grant = running(dossier)
    if grant is None or not ahead.sweeps:
        return
    newest: dict[Why, Sweep] = {}
    for sweep in ahead.sweeps:
        if (
            sweep.tier in {"", grant.tier}
            and _concerns(sweep, dossier)
            and sweep.effective_ms > _seen_ms(dossier, grant, sweep.why)
        ):
            known = newest.get(sweep.why)
            newest[sweep.why] = sweep if known is None or sweep.effective_ms >= known.effective_ms else known
    yield from newest.values()


def _concerns(sweep: Sweep, dossier: Dossier) -> bool:
    return sweep.why != "attestation_revoked" or any(filed.reference in sweep.check for filed in dossier.file)


def seen_ms(dossier: Dossier) -> tuple[str, int, int] | None:
    """The tier of a running grant, and up to when tightened policies and changed lists concern it no more."""
    grant = running(dossier)
    if grant is None:
        return None
    seen = _seen_ms(dossier, grant, "policy_tightened"), _seen_ms(dossier, grant, "screening_list_changed")
    return grant.tier, *seen


def _seen_ms(dossier: Dossier, grant: Grant, why: Why) -> int:
    """Up to when it was looked at, or asked for, what a sweep is about."""
    filed_ms = grant.granted_ms
    if why == "attestation_revoked":
        return NEVER  # what was revoked leaves the file
    if why == "screening_list_changed":
        filed_ms = next((filed.filed_ms for filed in dossier.file if filed.kind == "screening"), filed_ms)
    return max(filed_ms, dict(dossier.swept).get(why, NEVER))


def running(dossier: Dossier) -> Grant | None:
    """The grant whose end has not been said."""
    grant = dossier.grant
    return grant if grant is not None and dossier.announced < len(grant.steps) else None


def _asked(dossier: Dossier, tick: Tick, why: Cause, check: tuple[str, ...]) -> Change:
    grant = dossier.grant
    body = ReReview(
        request_id=derived_id(tick.customer_id, why, tick.due_ms),
        kind="request",
        customer_id=tick.customer_id,
        tier=grant.tier if grant is not None else "",
        why=why,
        check=check,
        requested_at=format_ms(tick.clock_ms),
        due_at=format_ms(tick.clock_ms + LOOK_WITHIN_MS),
        since_review=since_review(dossier, tick.conduct, tick.clock_ms),
    )
    return Change(dossier, outgoing=(reviewed(body),))
