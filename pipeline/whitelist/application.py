"""The application: asked for, assessed, withdrawn, declined, lapsed."""

from dataclasses import replace
from typing import Final

from pipeline.policy.model import Tier
from pipeline.whitelist.call_back import issue
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Application, Dossier
from pipeline.whitelist.evidence import Lack, lacks, without_hit
from pipeline.whitelist.tiers import tier_named
from pipeline.whitelist.transition import Ahead, Case, Change, Refused, Tick, tier_held
from schemas.application_event import (
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    AttestationPresented,
    CallbackConfirmed,
)
from schemas.reasons import RefusalReason
from schemas.timestamps import parse_ms

OPEN: Final = ("applied", "pre_approved", "doubted", "ready")
AboutApplication = ApplicationWithdrawn | ApplicationDeclined | AttestationPresented | CallbackConfirmed


def applications_are_taken(_event: ApplicationSubmitted, case: Case) -> Refused | None:
    """The policy says how applications run."""
    if case.policy.onboarding is not None:
        return None
    return Refused(RefusalReason.NO_ONBOARDING, "the policy in force has no `onboarding`")


def tier_to_apply_for(event: ApplicationSubmitted, case: Case) -> Refused | None:
    """The tier exists, and is above the one held."""
    tier = tier_named(case.policy, event.tier)
    if tier is None or tier.criteria is None:
        return Refused(RefusalReason.UNKNOWN_TIER, f"nobody can apply for {event.tier}")
    held = tier_held(case)
    if tier.rank <= held.rank:
        return Refused(RefusalReason.NOT_A_RAISE, f"{held.name} is held already")
    return None


def limits_within_ceiling(event: ApplicationSubmitted, case: Case) -> Refused | None:
    """Each limit asked for is above that of the tier, and within its ceiling."""
    tier = tier_named(case.policy, event.tier)
    for rule, limit in sorted(event.limits.items()):
        refused = refuse_limit(tier, rule, limit)
        if refused is not None:
            return refused
        if tier is not None and limit <= tier.limits[rule]:
            return Refused(RefusalReason.NOT_A_RAISE, f"{rule}: {tier.name} has {tier.limits[rule]}")
    return None


def refuse_limit(tier: Tier | None, rule: str, limit: int) -> Refused | None:
    """Why a tier cannot have a limit of that height."""
    standard = tier.limits.get(rule) if tier is not None else None
    if tier is None or standard is None:
        return Refused(RefusalReason.UNKNOWN_RULE, f"{rule} is no limit of a tier")
    ceiling = standard * tier.ceiling_pct // 100
    if limit > ceiling:
        return Refused(RefusalReason.ABOVE_CEILING, f"{rule}: {limit} is above {ceiling}, the ceiling of {tier.name}")
    return None


def consent_given(event: ApplicationSubmitted, case: Case) -> Refused | None:
    """The consent is not younger than the application."""
    if parse_ms(event.consent.given_at) <= case.occurred_ms:
        return None
    return Refused(RefusalReason.NO_CONSENT, "$.consent.given_at is after the event")


def not_older_than_the_last(_event: ApplicationSubmitted, case: Case) -> Refused | None:
    """It occurred after the last application."""
    last = case.dossier.application
    if last is None or case.occurred_ms > last.submitted_ms:
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"{last.application_id} was submitted later")


def submit(event: ApplicationSubmitted, case: Case) -> Change:
    """Open an application; it waits for what is missing."""
    onboarding = case.policy.onboarding
    wait_ms = onboarding.supplements_ms if onboarding is not None else 0
    application = Application(
        application_id=event.application_id,
        tier=event.tier,
        limits=tuple(sorted(event.limits.items())),
        applicant=event.actor,
        submitted_ms=case.occurred_ms,
        stage="applied",
        since_ms=case.occurred_ms,
        ends_ms=case.occurred_ms + wait_ms,
    )
    return Change(replace(case.dossier, application=application))


def about_this_application(event: AboutApplication, case: Case) -> Refused | None:
    """It names the application that is open."""
    application = case.dossier.application
    if application is not None and application.application_id == event.application_id:
        return None
    return Refused(RefusalReason.UNKNOWN_APPLICATION, f"{event.application_id} is not the application that is open")


def close(dossier: Dossier, stage: str, reason_code: str) -> Dossier:
    """An application that has come to an end: nothing is due any more."""
    application = dossier.application
    if application is None:
        return dossier
    ended = application._replace(stage=stage, ends_ms=None, asked=(), reason_code=reason_code, stopped=False)
    return replace(dossier, application=ended)


def withdraw(event: ApplicationWithdrawn, case: Case) -> Change:
    """End it, because the customer says so."""
    return Change(close(case.dossier, "withdrawn", event.reason_code))


def decline(event: ApplicationDeclined, case: Case) -> Change:
    """End it, because a reviewer says so."""
    return Change(close(case.dossier, "declined", event.reason_code))


def decline_stopped(_event: ApplicationDeclined, case: Case) -> Change:
    """End it, because a reviewer says so; why it was stopped is not for the customer to know."""
    return Change(close(case.dossier, "declined", ""))


def is_open(dossier: Dossier) -> bool:
    """Whether an application waits for a decision."""
    return dossier.application is not None and dossier.application.stage in OPEN


def is_not_stopped(_event: object, case: Case) -> Refused | None:
    """Nothing was found that keeps the application from being decided, but for its end."""
    application = case.dossier.application
    if application is None or not application.stopped:
        return None
    return Refused(RefusalReason.NOT_NOW, f"{application.application_id} was stopped")


def wanting(case: Case) -> tuple[Lack, ...]:
    """What keeps the open application from its pre-approval."""
    return wanting_at(case.dossier, case.policy.tiers, case.conduct, case.arrival_ms)


def wanting_at(dossier: Dossier, tiers: tuple[Tier, ...], conduct: Conduct, at_ms: int) -> tuple[Lack, ...]:
    """What an application lacks at a moment: evidence, conduct, and a telephone number to call.

    With a hit it goes on as without one, lest it tell the customer.
    """
    application = dossier.application
    tier = next((tier for tier in tiers if application is not None and tier.name == application.tier), None)
    if tier is None:
        return (Lack("tier", "missing"),)
    found = lacks(without_hit(dossier), tier, conduct, at_ms)
    if any(contact.kind == "phone" for contact in dossier.contacts):
        return found
    return (*found, Lack("phone", "missing"))


def carries_the_tier(case: Case) -> bool:
    """The file meets the criteria of the tier asked for, and there is a number to call and a policy that says how."""
    return case.policy.onboarding is not None and not wanting(case)


def quiet_at(case: Case) -> int | None:
    """When an application that waits for quiet may have had it; None where it waits for none."""
    application, alerted_ms = case.dossier.application, case.conduct.alerted_ms
    if application is None or application.stage != "applied" or alerted_ms is None:
        return None
    if not any(lack.what == "quiet" for lack in wanting(case)):
        return None
    criteria = next((tier.criteria for tier in case.policy.tiers if tier.name == application.tier), None)
    return None if criteria is None else alerted_ms + criteria.quiet_ms


def assess_ms(dossier: Dossier, _ahead: Ahead) -> int | None:
    """When an application that waits for quiet may have had it."""
    is_applied = dossier.application is not None and dossier.application.stage == "applied"
    return dossier.assess_ms if is_applied else None


def carries_by_now(dossier: Dossier, tick: Tick) -> bool:
    """The file meets the criteria of the tier asked for, quiet included, and it is known whom to call, and how."""
    is_run = tick.policy.onboarding is not None
    return is_run and not wanting_at(dossier, tick.policy.tiers, tick.conduct, tick.clock_ms)


def pre_approve_in_time(dossier: Dossier, tick: Tick) -> Change:
    """The criteria are met: the customer is called back."""
    return issue(tick.customer_id, replace(dossier, assess_ms=None), tick.policy, tick.due_ms)


def look_later(dossier: Dossier, tick: Tick) -> Change:
    """Look again when the next alert is long enough past; what else is missing, an event will bring."""
    now = Case({}, dossier, tick.policy, tick.clock_ms, tick.clock_ms, tick.conduct)
    return Change(replace(dossier, assess_ms=quiet_at(now)))


def pre_approve(customer_id: str, case: Case) -> Change:
    """The criteria are met: the customer is called back."""
    return issue(customer_id, case.dossier, case.policy, case.arrival_ms)
