"""The life of a customer in one table: which event, moment or condition leads where, and what may stop it.

The code runs this table, docs/life.md is made from it, and the stories prove it: a row that no story needs is a fault.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from pipeline.whitelist import (
    admission,
    allowances,
    answers,
    application,
    call_back,
    causes,
    contacts,
    credentials,
    deadlines,
    evidence,
    late_word,
    lifts,
    own_word,
    presented,
    profile,
    review,
    standing,
    superseding,
    sweeping,
)
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.transition import Ahead, Case, Change, Refused, Tick
from schemas.application_event import (
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    AttestationPresented,
    CallbackAnswered,
    CallbackConfirmed,
    CallbackMissed,
    ContactChanged,
    CredentialChanged,
    CreditAssessed,
    IdentityVerified,
    ScreeningCompleted,
    SecondFactorFailed,
    SourceOfFundsVerified,
)
from schemas.customer_event import CustomerEvent
from schemas.standing_event import (
    AccountFrozen,
    AccountUnfrozen,
    AdmissionApproved,
    CustomerConfirmed,
    CustomerDenied,
    DeviceRegistered,
    LimitChangeApproved,
    LimitChangeRequested,
    PayeeAdded,
    SuppressionApproved,
    SuppressionEnded,
    TierReinstated,
    TierRemoved,
    TierSuspended,
)

Region = Literal["application", "clearance", "standing", "trust", "account"]
Guard = Callable[[Any, Case], Refused | None]
Which = Callable[[Any, Case], bool]

# Five things are true of a customer at any time, one of each region.
STATES: Final[dict[Region, tuple[str, ...]]] = {
    "application": (
        "none",
        "applied",
        "pre_approved",
        "doubted",
        "ready",
        "granted",
        "declined",
        "withdrawn",
        "lapsed",
    ),
    # Stopped is an application that is never approved; the customer sees it go on.
    "clearance": ("clear", "stopped"),
    # Base is the absence of a grant, or one that has ended; suspended is whoever is, with a grant or without.
    "standing": ("base", "granted", "suspended"),
    # Lowered is who has left their own profile, until a newer grant says that somebody has looked.
    "trust": ("full", "lowered"),
    "account": ("open", "frozen"),
}


def state_of(region: Region, dossier: Dossier, at_ms: int) -> str:
    """Where a customer is in a region at a moment."""
    if region == "application":
        return dossier.application.stage if dossier.application is not None else "none"
    if region == "clearance":
        return "stopped" if dossier.application is not None and dossier.application.stopped else "clear"
    if region == "account":
        return "frozen" if dossier.frozen else "open"
    if region == "trust":
        return "full" if dossier.shifted_ms is None else "lowered"
    if dossier.suspended_since_ms is not None:
        return "suspended"
    grant = dossier.grant
    return "granted" if grant is not None and at_ms < grant.grace_until_ms else "base"


class Row(NamedTuple):
    """An event's transition: the first row of the event is taken whose `sources` fit and whose `when` holds.

    `trace` is what an event that is refused leaves behind, so that it matters as little when it arrived.
    """

    name: str
    on: tuple[type[CustomerEvent], ...]
    region: Region
    sources: tuple[str, ...]
    to: tuple[str, ...]
    act: Callable[[Any, Case], Change]
    guards: tuple[Guard, ...] = ()
    when: Which | None = None
    trace: Callable[[Any, Case], Dossier] | None = None


class AtOnce(NamedTuple):
    """A transition that follows an event by itself, as soon as `when` holds."""

    name: str
    region: Region
    sources: tuple[str, ...]
    to: tuple[str, ...]
    act: Callable[[str, Case], Change]
    when: Callable[[Case], bool]
    audited: str


class OnTime(NamedTuple):
    """A transition of the clock, at the moment that `due` gives. `audited` is its name in the audit, if it is there."""

    name: str
    region: Region
    sources: tuple[str, ...]
    to: tuple[str, ...]
    due: Callable[[Dossier, Ahead], int | None]
    act: Callable[[Dossier, Tick], Change]
    when: Callable[[Dossier, Tick], bool] | None = None
    audited: str = ""


_ANY: Final = STATES["application"]
_OPEN: Final = application.OPEN
_CALLED_UP: Final = ("pre_approved", "doubted", "ready")
_HELD: Final = ("granted", "suspended")
_STANDING: Final = STATES["standing"]
_ACCOUNT: Final = STATES["account"]
_EVIDENCE: Final = (IdentityVerified, CreditAssessed, ScreeningCompleted, SourceOfFundsVerified)

_AGAINST: Final = (ApplicationWithdrawn, ApplicationDeclined, CallbackAnswered, CallbackMissed, *_EVIDENCE)

# What every approval of a tier must pass, in the order in which a refusal names it.
_RAISE: Final[tuple[Guard, ...]] = (
    admission.can_be_granted,
    admission.signed_by_enough,
    admission.not_superseded,
    admission.newer_than_lowerings,
    admission.no_hit_on_file,
    admission.evidence_holds,
    admission.dates_fit,
)
_LOWER: Final[tuple[Guard, ...]] = (
    admission.can_be_granted,
    admission.signed_by_enough,
    late_word.nothing_newer_says_what_holds,
    admission.evidence_holds,
    admission.dates_fit,
)
_ALLOW: Final[tuple[Guard, ...]] = (
    allowances.holds_a_tier,
    allowances.newer_than_the_grant,
    admission.newer_than_lowerings,
    allowances.ends_ahead,
    allowances.file_carries_the_tier,
    allowances.signed_for_the_tier,
    evidence.nothing_filed_since,
)

_CALLED: Final[tuple[Guard, ...]] = (call_back.attempt_is_open, call_back.number_is_old_enough)
_ANSWERED: Final[tuple[Guard, ...]] = (*_CALLED, call_back.answers_what_was_asked)

EVENTS: tuple[Row, ...] = (
    # What speaks against a grant, above all else that the event may mean.
    Row("suspend_on_hit", (ScreeningCompleted,), "standing", _STANDING, ("suspended",), causes.suspend_on_hit, (),
        causes.is_hit),
    Row("overtake", _AGAINST, "standing", _HELD, ("suspended",), causes.overtaken, (),
        causes.speaks_against_the_grant),
    # The application.
    Row("submit", (ApplicationSubmitted,), "application",
        ("none", "granted", "declined", "withdrawn", "lapsed"), ("applied",), application.submit,
        (application.applications_are_taken, application.tier_to_apply_for, application.limits_within_ceiling,
         application.consent_given, application.not_older_than_the_last)),
    Row("withdraw", (ApplicationWithdrawn,), "application", _OPEN, ("withdrawn",), application.withdraw,
        (application.about_this_application,)),
    Row("decline_stopped", (ApplicationDeclined,), "clearance", ("stopped",), ("clear",), application.decline_stopped,
        (application.about_this_application,)),
    Row("decline", (ApplicationDeclined,), "application", _OPEN, ("declined",), application.decline,
        (application.about_this_application,)),
    # Evidence.
    Row("worsen", _EVIDENCE, "standing", ("granted",), ("granted",), causes.put_and_review,
        (evidence.not_from_the_future,), causes.no_longer_carries),
    Row("file", _EVIDENCE, "application", _ANY, _ANY, evidence.put,
        (evidence.not_from_the_future, evidence.newest_of_its_kind)),
    Row("attest", (AttestationPresented,), "application", ("applied",), ("applied",), presented.put_attested,
        (application.about_this_application, presented.attestation_counts)),
    # Contacts, credentials, devices, payees.
    Row("change_phone", (ContactChanged,), "standing", ("granted",), ("granted",), causes.contact_and_review, (),
        causes.is_phone),
    Row("note_contact", (ContactChanged,), "application", _ANY, _ANY, contacts.contact),
    Row("change_credential", (CredentialChanged,), "standing", ("granted",), ("granted",), credentials.change),
    Row("note_credential", (CredentialChanged,), "standing", ("base", "suspended"), ("base", "suspended"),
        credentials.note_change),
    Row("fail_again", (SecondFactorFailed,), "standing", ("granted",), ("granted",), credentials.fail_again, (),
        credentials.is_one_too_many),
    Row("fail_second_factor", (SecondFactorFailed,), "standing", _STANDING, _STANDING, credentials.fail),
    Row("register_device", (DeviceRegistered,), "application", _ANY, _ANY, contacts.device),
    Row("add_payee", (PayeeAdded,), "application", _ANY, _ANY, contacts.payee),
    # The call-back.
    Row("contradict", (CallbackAnswered, CallbackMissed), "application", _CALLED_UP, _CALLED_UP,
        answers.stop_on_contradiction, (), answers.contradicts),
    Row("stop_on_mismatch", (CallbackAnswered,), "application", ("pre_approved",), ("doubted",), answers.stop,
        _ANSWERED, call_back.mismatches_identity),
    Row("verify", (CallbackAnswered,), "application", ("pre_approved",), ("ready",), answers.verify,
        _ANSWERED, call_back.all_match),
    Row("ask_further", (CallbackAnswered,), "application", ("pre_approved",), ("pre_approved",), answers.ask_further,
        _ANSWERED, answers.first_doubt),
    Row("doubt", (CallbackAnswered,), "application", ("pre_approved",), ("doubted",), answers.doubt,
        _ANSWERED),
    Row("miss", (CallbackMissed,), "application", ("pre_approved",), ("pre_approved",), answers.call_again,
        _CALLED, answers.has_calls_left),
    Row("give_up", (CallbackMissed,), "application", ("pre_approved",), ("lapsed",), answers.give_up,
        _CALLED),
    Row("settle", (CallbackConfirmed,), "application", ("doubted",), ("ready",), answers.settle,
        (application.about_this_application, application.is_not_stopped, answers.signed_as_for_the_tier,
         evidence.nothing_filed_since)),
    # The grant.
    Row("admit_applicant", (AdmissionApproved,), "application", ("ready",), ("granted",), admission.grant_as_applied,
        (admission.can_be_granted, admission.application_is_ready, *_RAISE[1:], admission.rests_on_the_file,
         admission.is_not_suspended, application.is_not_stopped, evidence.nothing_filed_since),
        admission.decides_an_application, superseding.trace),
    Row("lower", (AdmissionApproved,), "standing", _HELD, _STANDING, admission.grant_lower, _LOWER, admission.lowers),
    Row("renew", (AdmissionApproved,), "standing", ("granted",), ("granted",), admission.grant,
        (*_RAISE, evidence.nothing_filed_since), admission.renews_by_itself, superseding.trace),
    Row("raise", (AdmissionApproved,), "standing", ("granted",), ("granted",), admission.grant,
        (*_RAISE, admission.paper_will_do, evidence.nothing_filed_since), admission.raises, superseding.trace),
    Row("admit", (AdmissionApproved,), "standing", ("base",), ("granted",), admission.grant,
        (*_RAISE, admission.paper_will_do, evidence.nothing_filed_since), admission.raises, superseding.trace),
    Row("suspend", (TierSuspended,), "standing", _STANDING, ("suspended",), standing.suspend),
    Row("reinstate", (TierReinstated,), "standing", ("suspended",), ("granted", "base"), lifts.reinstate,
        (lifts.signed_as_for_the_tier, admission.newer_than_lowerings, admission.no_hit_on_file)),
    Row("remove", (TierRemoved,), "standing", _HELD, ("base", "suspended"), standing.remove),
    Row("note_removal", (TierRemoved,), "standing", ("base",), ("base",), standing.note),
    # What one customer may beside the tier.
    Row("lower_limit", (LimitChangeRequested,), "standing", ("granted",), ("granted",), allowances.lower_limit,
        (allowances.ends_ahead,), allowances.is_lower, allowances.trace_lower),
    Row("ask_for_limit", (LimitChangeRequested,), "standing", ("granted",), ("granted",), allowances.ask_for_limit,
        (allowances.within_the_ceiling, allowances.ends_ahead, allowances.file_carries_the_tier),
        trace=allowances.trace),
    Row("note_limit", (LimitChangeRequested,), "standing", ("base", "suspended"), ("base", "suspended"),
        allowances.lower_limit, (allowances.has_a_limit,)),
    Row("raise_limit", (LimitChangeApproved,), "standing", ("granted",), ("granted",), allowances.raise_limit,
        (*_ALLOW, allowances.within_the_ceiling, allowances.raises_the_limit)),
    Row("suppress", (SuppressionApproved,), "standing", ("granted",), ("granted",), allowances.suppress,
        (allowances.can_be_suppressed, allowances.ends_soon, *_ALLOW, allowances.lasts_longer)),
    Row("end_suppression", (SuppressionEnded,), "standing", _STANDING, _STANDING, allowances.end_suppression),
    # The customer's own word about a payment.
    Row("deny_and_freeze", (CustomerDenied,), "account", _ACCOUNT, ("frozen",), own_word.deny_and_freeze, (),
        own_word.denial_freezes),
    Row("deny", (CustomerDenied,), "account", _ACCOUNT, _ACCOUNT, own_word.deny),
    Row("confirm", (CustomerConfirmed,), "account", _ACCOUNT, _ACCOUNT, own_word.confirm),
    # The account.
    Row("freeze", (AccountFrozen,), "account", _ACCOUNT, ("frozen",), standing.freeze),
    Row("lift", (AccountUnfrozen,), "account", ("frozen",), ("open",), lifts.lift,
        (lifts.signed_as_for_the_tier, admission.newer_than_lowerings)),
)  # fmt: skip

AT_ONCE: tuple[AtOnce, ...] = (
    AtOnce("stop_on_hit", "clearance", ("clear",), ("stopped",), answers.stop_on_hit, answers.is_listed,
           "application.stopped"),
    AtOnce("pre_approve", "application", ("applied",), ("pre_approved",), application.pre_approve,
           application.carries_the_tier, "application.pre_approved"),
    AtOnce("restore_trust", "trust", ("lowered",), ("full",), profile.restore_trust, profile.is_trusted_again,
           "trust.restored"),
)  # fmt: skip

ON_TIME: tuple[OnTime, ...] = (
    OnTime("request_review", "standing", _HELD, _HELD, review.request_ms, review.request),
    OnTime("remind", "standing", _HELD, _HELD, review.reminder_ms, review.remind),
    OnTime("warn_of_expiry", "standing", _HELD, _HELD, review.evidence_ms, review.warn),
    OnTime("sweep", "standing", _HELD, _HELD, sweeping.swept_ms, sweeping.ask),
    OnTime("look_for_life", "standing", _HELD, _HELD, sweeping.silent_ms, sweeping.look_for_life),
    OnTime("lower_trust", "trust", ("full",), ("lowered",), profile.measure_ms, profile.lower_trust,
           profile.has_shifted, audited="trust.lowered"),
    OnTime("look_at_profile", "trust", STATES["trust"], STATES["trust"], profile.measure_ms, profile.look_at_profile),
    OnTime("demote", "standing", _HELD, ("base", "suspended"), review.overdue_ms, review.end,
           audited="review.demoted"),
    OnTime("expire", "standing", _HELD, ("base", "suspended"), review.expiry_ms, review.end, audited="grant.expired"),
    OnTime("end_temporary", "standing", _STANDING, _STANDING, allowances.next_end_ms, deadlines.end_temporary,
           audited="allowance.ended"),
    OnTime("pre_approve_in_time", "application", ("applied",), ("pre_approved",), application.assess_ms,
           application.pre_approve_in_time, application.carries_by_now, audited="application.pre_approved"),
    OnTime("look_later", "application", ("applied",), ("applied",), application.assess_ms, application.look_later),
    OnTime("call_again", "application", ("pre_approved",), ("pre_approved",), deadlines.call_ends_ms,
           deadlines.call_again, deadlines.has_calls_left),
    OnTime("lapse_uncalled", "application", ("pre_approved",), ("lapsed",), deadlines.call_ends_ms,
           deadlines.lapse_uncalled, audited="application.lapsed"),
    OnTime("lapse", "application", ("applied", "doubted", "ready"), ("lapsed",), deadlines.lapse_ms, deadlines.lapse,
           audited="application.lapsed"),
)  # fmt: skip
