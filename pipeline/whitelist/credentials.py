"""How a customer proves to be the customer: a change of it, and failures of it, are causes to look."""

from dataclasses import replace

from pipeline.ids import derived_id
from pipeline.whitelist.causes import LOOK_WITHIN_MS, for_cause
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.outgoing import action
from pipeline.whitelist.transition import Case, Change
from schemas.account_action import AccountAction
from schemas.application_event import CredentialChanged, SecondFactorFailed
from schemas.timestamps import MS_PER_DAY, format_ms

# Who mistypes a code tries again; who has not got it fails again and again.
FAILURES = 3
WITHIN_MS = MS_PER_DAY
# Enough to find three of a day however they arrive; more of them at base tell nothing new.
_KEPT = 8


def change(event: CredentialChanged, case: Case) -> Change:
    """Have somebody look."""
    asked = for_cause(event, case, "credential_changed", (event.kind,), LOOK_WITHIN_MS)
    return Change(_changed(case), outgoing=(asked,))


def note_change(_event: CredentialChanged, case: Case) -> Change:
    """Nothing is granted that it could be used for; the rules remember it."""
    return Change(_changed(case))


def _changed(case: Case) -> Dossier:
    """Nobody makes a change look old: it is no older than a record may be late, nor newer than its arrival allows."""
    at_ms = max(case.occurred_ms, case.arrival_ms - case.policy.lateness_ms)
    return replace(case.dossier, credential_ms=max(at_ms, case.dossier.credential_ms))


def is_one_too_many(_event: SecondFactorFailed, case: Case) -> bool:
    """With it there are three within a day, in whatever order they arrive."""
    moments, at_ms = _failures(case), case.occurred_ms
    days = zip(moments, moments[FAILURES - 1 :], strict=False)
    return any(first <= at_ms <= last and last - first < WITHIN_MS for first, last in days)


def fail_again(event: SecondFactorFailed, case: Case) -> Change:
    """Ask for a step-up at once, and have somebody look; then count anew."""
    request = AccountAction(
        action_id=derived_id(event.customer_id, event.event_id, "step_up"),
        action="step_up",
        customer_id=event.customer_id,
        because="second_factor_failed",
        requested_at=format_ms(case.arrival_ms),
        event_id=event.event_id,
    )
    asked = for_cause(event, case, "second_factor_failed", (event.method,), LOOK_WITHIN_MS)
    return Change(replace(case.dossier, failures=()), outgoing=(action(request), asked))


def fail(_event: SecondFactorFailed, case: Case) -> Change:
    """Remember it for a day, and for as long as others may be late."""
    return Change(replace(case.dossier, failures=_failures(case)))


def _failures(case: Case) -> tuple[int, ...]:
    """Those known that one which is late could be of a day with, this one included; rising."""
    moments = sorted((*case.dossier.failures, case.occurred_ms))
    oldest_ms = moments[-1] - WITHIN_MS - case.policy.lateness_ms
    return tuple(moment for moment in moments if moment > oldest_ms)[-_KEPT:]
