"""What ends by itself beside the grant: an application that waited for too long, and what was temporary."""

from pipeline.whitelist.allowances import drop_ended
from pipeline.whitelist.application import close
from pipeline.whitelist.call_back import issue
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.transition import Ahead, Change, Tick


def lapse_ms(dossier: Dossier, _ahead: Ahead) -> int | None:
    """When an open application lapses; one that waits for a call is called again first."""
    application = dossier.application
    return application.ends_ms if application is not None and application.stage != "pre_approved" else None


def call_ends_ms(dossier: Dossier, _ahead: Ahead) -> int | None:
    """When the time to call is over."""
    application = dossier.application
    return application.ends_ms if application is not None and application.stage == "pre_approved" else None


def has_calls_left(dossier: Dossier, tick: Tick) -> bool:
    """The policy allows another attempt."""
    onboarding = tick.policy.onboarding
    attempts = dossier.application.attempts if dossier.application is not None else 0
    return onboarding is not None and attempts < onboarding.call_back.attempts


def lapse(dossier: Dossier, _tick: Tick) -> Change:
    """End an application that nobody decided in time."""
    return Change(close(dossier, "lapsed", "too_late"))


def call_again(dossier: Dossier, tick: Tick) -> Change:
    """Issue the next attempt; its window begins where the last one ended, whenever somebody looks."""
    return issue(tick.customer_id, dossier, tick.policy, tick.due_ms)


def lapse_uncalled(dossier: Dossier, _tick: Tick) -> Change:
    """End an application whose applicant was never reached."""
    return Change(close(dossier, "lapsed", "not_reached"))


def end_temporary(dossier: Dossier, tick: Tick) -> Change:
    """Forget what was temporary and has ended."""
    return Change(drop_ended(dossier, tick.due_ms))
