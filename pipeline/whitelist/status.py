"""How far an application is, in what the customer may know: nothing that would tip off a suspect."""

from typing import Final

from pipeline.policy.model import Policy, Tier
from pipeline.whitelist.application import wanting_at
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.evidence import lacks
from pipeline.whitelist.tiers import tier_named
from schemas.application_status import ApplicationStatus, Needed, Step
from schemas.timestamps import format_ms

# What lists and rules found is never told, nor what it keeps from happening.
_SECRET: Final = frozenset({"screening", "quiet", "chargebacks"})
_STEPS: Final[dict[str, Step]] = {
    "applied": "being_assessed",
    "pre_approved": "call_back_due",
    "doubted": "being_assessed",
    "ready": "awaiting_decision",
    "granted": "granted",
    "declined": "declined",
    "withdrawn": "withdrawn",
    "lapsed": "lapsed",
}
_TIMED: Final = frozenset({"supplements_needed", "call_back_due", "awaiting_decision"})


def application_status(
    customer_id: str, dossier: Dossier, policy: Policy, conduct: Conduct, at_ms: int
) -> ApplicationStatus | None:
    """What the customer may know of the application at a moment, None where there is none."""
    application = dossier.application
    if application is None:
        return None
    step = _STEPS[application.stage]
    by = None if application.ends_ms is None else format_ms(application.ends_ms)
    needed: tuple[Needed, ...] = ()
    if application.stage == "applied":
        found = wanting_at(dossier, policy.tiers, conduct, at_ms)
        needed = tuple(Needed(what=one.what, why=one.why, by=by or "") for one in found if one.what not in _SECRET)
        step = "supplements_needed" if needed else step
    tier = tier_named(policy, application.tier)
    return ApplicationStatus(
        customer_id=customer_id,
        application_id=application.application_id,
        as_of=format_ms(at_ms),
        step=step,
        tier=application.tier,
        fee_bps=tier.fee_bps if tier is not None else 0,
        risks=_risks(policy, tier),
        needed=needed,
        carried=_carried(dossier, policy, conduct, at_ms).name if needed else "",
        next_by=by if step in _TIMED else None,
        reason_code=application.reason_code,
    )


def _carried(dossier: Dossier, policy: Policy, conduct: Conduct, at_ms: int) -> Tier:
    """The highest tier that the file carries, as far as the customer may know."""
    carried = policy.tiers[0]
    for tier in policy.tiers[1:]:
        open_lacks = [one for one in lacks(dossier, tier, conduct, at_ms) if one.what not in _SECRET]
        if tier.criteria is not None and not open_lacks:
            carried = tier
    return carried


def _risks(policy: Policy, tier: Tier | None) -> tuple[str, ...]:
    """What a tier brings with it: more can be lost before anything stops it."""
    if tier is None:
        return ()
    base = policy.tiers[0]
    risks = ["higher_limits"] if tier.limits != base.limits else []
    risks += ["fewer_verification_steps"] if tier.authentication != base.authentication else []
    risks += ["ends_without_review"] if tier.review is not None else []
    return tuple(risks)
