"""The call-back: whom to call where and when, what to ask, and what the answers mean."""

from dataclasses import replace

from pipeline.ids import derived_id
from pipeline.policy.model import Policy
from pipeline.policy.onboarding import CallBack, Question
from pipeline.whitelist.dossier import Application, Contact, Dossier
from pipeline.whitelist.outgoing import call
from pipeline.whitelist.transition import Case, Change, Refused
from schemas.application_event import CallbackAnswered, CallbackMissed
from schemas.call_back import AskedQuestion, CallBackRequest
from schemas.reasons import RefusalReason
from schemas.timestamps import format_ms

_CODE_DIGITS = 6
# More than one careless change; whoever changes more often waits until the newest is old enough.
_CONTACTS_KEPT = 4


def attempt_id(customer_id: str, application: Application) -> str:
    """The id of the call-back issued last."""
    return derived_id(customer_id, application.application_id, application.attempts, "call_back")


def remember_contact(dossier: Dossier, contact: Contact) -> Dossier:
    """A new number, or an address: the newest few of each kind are known."""
    same = sorted((one for one in {*dossier.contacts, contact} if one.kind == contact.kind), key=lambda c: c.since_ms)
    others = tuple(one for one in dossier.contacts if one.kind != contact.kind)
    return replace(dossier, contacts=tuple(sorted((*others, *same[-_CONTACTS_KEPT:]))))


def number_to_call(dossier: Dossier, terms: CallBack, at_ms: int) -> tuple[Contact, int] | None:
    """The number, and from when it may be called: the newest that is old enough, else when the oldest will be."""
    numbers = sorted((one for one in dossier.contacts if one.kind == "phone"), key=lambda contact: contact.since_ms)
    if not numbers:
        return None
    aged = [number for number in numbers if number.since_ms + terms.number_age_ms <= at_ms]
    number = aged[-1] if aged else numbers[0]
    return number, max(at_ms, number.since_ms + terms.number_age_ms)


def choose(attempt: str, terms: CallBack, first: tuple[str, ...], leave_out: tuple[str, ...]) -> tuple[Question, ...]:
    """The questions of an attempt: always the same, about identity first, then `first`, then whatever comes.

    `leave_out` were asked before. At least `terms.facts` facts are asked about, as far as the bank goes.
    """
    left = [question for question in terms.bank if question.id not in leave_out]
    left.sort(key=lambda question: derived_id(attempt, question.id))
    facts = dict.fromkeys(("identity", *first, *(question.fact for question in left)))
    leading = [next((one for one in left if one.fact == fact), None) for fact in facts]
    chosen = [one for one in leading if one is not None][: terms.facts]
    rest = [question for question in left if question not in chosen]
    return (*chosen, *rest)[: terms.questions]


def issue(customer_id: str, dossier: Dossier, policy: Policy, at_ms: int, *, further: bool = False) -> Change:
    """Ask for a call; `further` questions where the last answers left doubts.

    Raises:
        ValueError: nothing was applied for, or nobody can be called: the transition's guards were not asked.

    """
    terms = policy.onboarding.call_back if policy.onboarding is not None else None
    target = number_to_call(dossier, terms, at_ms) if terms is not None else None
    if dossier.application is None or terms is None or target is None:
        raise ValueError("no call-back can be issued")
    number, from_ms = target
    application = dossier.application._replace(
        stage="pre_approved",
        since_ms=at_ms,
        ends_ms=from_ms + terms.window_ms,
        attempts=dossier.application.attempts + 1,
        doubted=further,
    )
    attempt = attempt_id(customer_id, application)
    questions = choose(attempt, terms, _first(dossier, application), application.asked if further else ())
    application = application._replace(asked=tuple(question.id for question in questions))
    request = CallBackRequest(
        attempt_id=attempt,
        customer_id=customer_id,
        application_id=application.application_id,
        attempt=application.attempts,
        call=number.reference,
        call_from=format_ms(from_ms),
        call_until=format_ms(from_ms + terms.window_ms),
        questions=tuple(AskedQuestion(question_id=one.id, asks=one.asks) for one in questions),
        code=code(attempt, dossier),
        requested_at=format_ms(at_ms),
    )
    after = replace(dossier, application=application)
    # Whoever was stopped is told what everybody is told, and nobody calls.
    return Change(after) if application.stopped else Change(after, outgoing=(call(request),))


def code(attempt: str, dossier: Dossier) -> str:
    """What caller and customer compare. From references that never leave the bank, so that nobody can guess it."""
    digest = derived_id(attempt, *(filed.reference for filed in dossier.file))
    return f"{int(digest, 16) % 10**_CODE_DIGITS:0{_CODE_DIGITS}d}"


def _first(dossier: Dossier, application: Application) -> tuple[str, ...]:
    """Facts to ask about: the money where more than the tier's limits is asked for, then the evidence ending first."""
    expiring = sorted(dossier.file, key=lambda filed: (filed.expires_ms is None, filed.expires_ms or 0))
    money = ("source_of_funds",) if application.limits else ()
    return (*money, *(filed.kind for filed in expiring))


def attempt_is_open(event: CallbackAnswered | CallbackMissed, case: Case) -> Refused | None:
    """It is about the attempt issued last, after it was issued."""
    if not is_last_attempt(event, case):
        return Refused(RefusalReason.UNKNOWN_ATTEMPT, "$.attempt_id is not of the call-back that is open")
    application = case.dossier.application
    if application is not None and case.occurred_ms < application.since_ms:
        return Refused(RefusalReason.OLDER_THAN_KNOWN, f"the call-back was issued at {format_ms(application.since_ms)}")
    return None


def number_is_old_enough(_event: CallbackAnswered | CallbackMissed, case: Case) -> Refused | None:
    """When it was called, a number had been on file for as long as the policy asks."""
    onboarding = case.policy.onboarding
    target = number_to_call(case.dossier, onboarding.call_back, case.occurred_ms) if onboarding is not None else None
    if target is None or target[1] <= case.occurred_ms:
        return None
    return Refused(RefusalReason.CALLED_TOO_EARLY, f"$.occurred_at is before {format_ms(target[1])}")


def is_last_attempt(event: CallbackAnswered | CallbackMissed, case: Case) -> bool:
    """It is about the attempt issued last."""
    application = case.dossier.application
    return application is not None and event.attempt_id == attempt_id(event.customer_id, application)


def tells_otherwise(event: CallbackAnswered | CallbackMissed, case: Case) -> bool:
    """It tells of the attempt issued last that not all matched, or of any that somebody else answered."""
    if isinstance(event, CallbackAnswered):
        if mismatches_identity(event, case):
            return is_some_attempt(event, case)
        if all_match(event, case):
            return False
    return is_last_attempt(event, case)


def is_some_attempt(event: CallbackAnswered | CallbackMissed, case: Case) -> bool:
    """It is about an attempt of the application that was issued, be it long over."""
    application = case.dossier.application
    return application is not None and any(
        event.attempt_id == attempt_id(event.customer_id, application._replace(attempts=number))
        for number in range(1, application.attempts + 1)
    )


def answers_what_was_asked(event: CallbackAnswered, case: Case) -> Refused | None:
    """Each question of the attempt has one result, and no other has."""
    application = case.dossier.application
    answered = sorted(answer.question_id for answer in event.answers)
    if application is not None and answered == sorted(application.asked):
        return None
    return Refused(RefusalReason.WRONG_QUESTIONS, "$.answers are not those of the questions asked")


def mismatches_identity(event: CallbackAnswered, case: Case) -> bool:
    """An answer about identity does not match."""
    bank = case.policy.onboarding.call_back.bank if case.policy.onboarding is not None else ()
    identity = {question.id for question in bank if question.fact == "identity"}
    return any(answer.result == "mismatch" and answer.question_id in identity for answer in event.answers)


def all_match(event: CallbackAnswered, _case: Case) -> bool:
    """Every answer matches."""
    return all(answer.result == "match" for answer in event.answers)
