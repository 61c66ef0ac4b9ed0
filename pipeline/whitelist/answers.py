"""What a call-back leads to: verified, asked further, doubted, stopped, called again or given up."""

from dataclasses import replace

from pipeline.whitelist.application import close, is_open
from pipeline.whitelist.call_back import is_last_attempt, issue, mismatches_identity, tells_otherwise
from pipeline.whitelist.causes import for_cause
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.evidence import has_hit
from pipeline.whitelist.signatures import refuse_signatures
from pipeline.whitelist.tiers import tier_named
from pipeline.whitelist.transition import Case, Change, Refused
from schemas.application_event import CallbackAnswered, CallbackConfirmed, CallbackMissed
from schemas.timestamps import MS_PER_DAY

# How long somebody may take to settle doubts.
SETTLE_WITHIN_MS = 2 * MS_PER_DAY


def first_doubt(_event: CallbackAnswered, case: Case) -> bool:
    """Not all match, for the first time, and the policy has questions to ask further."""
    is_first = case.dossier.application is not None and not case.dossier.application.doubted
    return is_first and case.policy.onboarding is not None


def has_calls_left(_event: CallbackMissed, case: Case) -> bool:
    """The policy allows another attempt."""
    onboarding, application = case.policy.onboarding, case.dossier.application
    return onboarding is not None and application is not None and application.attempts < onboarding.call_back.attempts


def signed_as_for_the_tier(event: CallbackConfirmed, case: Case) -> Refused | None:
    """The approvals of the tier asked for; nobody who gathered the evidence, nor the applicant."""
    application = case.dossier.application
    tier = tier_named(case.policy, application.tier if application is not None else "") or case.policy.tiers[-1]
    beside = {filed.gathered_by for filed in case.dossier.file}
    beside |= {application.applicant} if application is not None else set()
    return refuse_signatures(event, case, tier, frozenset(beside))


def verify(_event: CallbackAnswered, case: Case) -> Change:
    """The customer is who applied: a reviewer may decide."""
    return Change(_wait(case, "ready"))


def settle(_event: CallbackConfirmed, case: Case) -> Change:
    """The doubts are settled: a reviewer may decide."""
    return Change(_wait(case, "ready"))


def ask_further(event: CallbackAnswered, case: Case) -> Change:
    """Ask as many other questions, at once."""
    return issue(event.customer_id, case.dossier, case.policy, case.arrival_ms, further=True)


def doubt(event: CallbackAnswered, case: Case) -> Change:
    """Doubts are left after further questions: a person looks."""
    check = tuple(answer.question_id for answer in event.answers if answer.result != "match")
    asked = for_cause(event, case, "call_back_doubt", check, SETTLE_WITHIN_MS)
    return Change(_wait(case, "doubted"), outgoing=(asked,))


def stop(event: CallbackAnswered, case: Case) -> Change:
    """Whoever answered is not who applied: nothing older may raise, and a person looks at once."""
    check = tuple(answer.question_id for answer in event.answers if answer.result != "match")
    asked = for_cause(event, case, "identity_mismatch", check, 0)
    doubted = _stopped(_wait(case, "doubted"))
    known_ms = max(doubted.lowered_ms, case.occurred_ms)
    return Change(replace(doubted, lowered_ms=known_ms), outgoing=(asked,))


def contradicts(event: CallbackAnswered | CallbackMissed, case: Case) -> bool:
    """It tells another story of the attempt that verified the applicant, or that somebody else answered before."""
    application = case.dossier.application
    if application is None or not tells_otherwise(event, case):
        return False
    if application.stage == "ready":
        return True
    # The attempt that waits for its answer has rows of its own; of others only who answered still counts.
    is_answer = application.stage == "pre_approved" and is_last_attempt(event, case)
    return isinstance(event, CallbackAnswered) and mismatches_identity(event, case) and not is_answer


def stop_on_contradiction(event: CallbackAnswered | CallbackMissed, case: Case) -> Change:
    """Who was called is in doubt: a person looks at once."""
    asked = for_cause(event, case, "call_back_doubt", ("call_back",), 0)
    return Change(_stopped(case.dossier), outgoing=(asked,))


def is_listed(case: Case) -> bool:
    """An application is open, and the newest screening names the customer."""
    return is_open(case.dossier) and has_hit(case.dossier)


def stop_on_hit(_customer_id: str, case: Case) -> Change:
    """A list names the applicant; whoever looks at the hit decides."""
    return Change(_stopped(case.dossier))


def call_again(event: CallbackMissed, case: Case) -> Change:
    """Issue the next attempt."""
    return issue(event.customer_id, case.dossier, case.policy, case.arrival_ms)


def give_up(_event: CallbackMissed, case: Case) -> Change:
    """Nobody was reached as often as the policy says."""
    return Change(close(case.dossier, "lapsed", "not_reached"))


def _stopped(dossier: Dossier) -> Dossier:
    """Never to be approved; for the customer it goes on, and ends, like any other."""
    application = dossier.application
    return dossier if application is None else replace(dossier, application=application._replace(stopped=True))


def _wait(case: Case, stage: str) -> Dossier:
    """The application in that stage, until its approval is overdue."""
    onboarding, application = case.policy.onboarding, case.dossier.application
    if application is None:
        return case.dossier
    wait_ms = onboarding.approval_ms if onboarding is not None else 0
    moved = application._replace(stage=stage, since_ms=case.occurred_ms, ends_ms=case.arrival_ms + wait_ms, asked=())
    return replace(case.dossier, application=moved)
