"""Granting a tier: nobody is above base without approvers, evidence, an expiry and a review date."""

from dataclasses import replace

from pipeline.policy.sweeps import revoked
from pipeline.whitelist.application import close
from pipeline.whitelist.dossier import Allowance, Basis
from pipeline.whitelist.evidence import has_hit, lacks_by, to_be_warned
from pipeline.whitelist.given import evidence_given, grant_given, shortened, terms_of, tier_given
from pipeline.whitelist.late_word import renewed
from pipeline.whitelist.lifts import locked_again
from pipeline.whitelist.signatures import refuse_signatures, signers
from pipeline.whitelist.tiers import tier_named
from pipeline.whitelist.transition import Case, Change, Refused, lowered_ms, refuse_raising, tier_held
from pipeline.whitelist.wishes import wishes
from schemas.reasons import RefusalReason
from schemas.standing_event import AdmissionApproved
from schemas.timestamps import format_ms


def decides_an_application(event: AdmissionApproved, _case: Case) -> bool:
    """It names the application that it decides."""
    return event.application_id is not None


def lowers(event: AdmissionApproved, case: Case) -> bool:
    """The tier is below the one held."""
    tier = tier_named(case.policy, event.tier)
    return tier is not None and tier.rank < tier_held(case).rank


def renews(event: AdmissionApproved, case: Case) -> bool:
    """The tier is the one held."""
    held = tier_held(case)
    return held.review is not None and event.tier == held.name


def renews_by_itself(event: AdmissionApproved, case: Case) -> bool:
    """It names no application, and the tier that is held."""
    return event.application_id is None and renews(event, case)


def raises(event: AdmissionApproved, case: Case) -> bool:
    """It names no application, and a tier that is neither held nor below that."""
    return event.application_id is None and not lowers(event, case) and not renews(event, case)


def can_be_granted(event: AdmissionApproved, case: Case) -> Refused | None:
    """The tier exists and is above base."""
    tier = tier_named(case.policy, event.tier)
    if tier is None:
        known = ", ".join(tier.name for tier in case.policy.tiers)
        return Refused(RefusalReason.UNKNOWN_TIER, f"{event.tier} is none of {known}")
    if tier.review is None:
        return Refused(RefusalReason.NOT_A_GRANT, f"{tier.name} is what everybody has without one")
    return None


def signed_by_enough(event: AdmissionApproved, case: Case) -> Refused | None:
    """As many different people as the tier asks for signed, in its roles; not the customer, nor the applicant.

    Whoever had gathered evidence on file may not approve. One more signs where more than the tier's limits was asked
    for.
    """
    application = case.dossier.application if event.application_id is not None else None
    # What was filed after it stops no approval that lowers; one that raises is refused because of it.
    beside = frozenset(filed.gathered_by for filed in case.dossier.file if filed.filed_ms <= case.occurred_ms)
    if application is not None:
        beside |= {application.applicant}
    more = 1 if application is not None and application.limits else 0
    return refuse_signatures(event, case, tier_given(event, case), beside, more)


def not_superseded(_event: AdmissionApproved, case: Case) -> Refused | None:
    """No newer grant already says what holds, whether higher or lower."""
    newest = case.dossier.grant
    if newest is None or case.occurred_ms > newest.granted_ms:
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"{newest.tier} was granted at {format_ms(newest.granted_ms)}")


def newer_than_lowerings(_event: object, case: Case) -> Refused | None:
    """It occurred after every lowering that is known."""
    return refuse_raising(case)


def no_hit_on_file(_event: object, case: Case) -> Refused | None:
    """The newest screening found nobody."""
    return Refused(RefusalReason.SCREENING_HIT, "the screening on file is a hit") if has_hit(case.dossier) else None


def paper_will_do(event: AdmissionApproved, case: Case) -> Refused | None:
    """The policy lets a tier be granted without an application; a renewal never needs one."""
    onboarding = case.policy.onboarding
    if onboarding is None or onboarding.paper or renews(event, case):
        return None
    return Refused(RefusalReason.APPLICATION_REQUIRED, "$.application_id is missing, and paper alone does not do")


def application_is_ready(event: AdmissionApproved, case: Case) -> Refused | None:
    """It is the application that was verified before, and no more than it asked for."""
    application = case.dossier.application
    if application is None or application.application_id != event.application_id:
        return Refused(RefusalReason.UNKNOWN_APPLICATION, f"{event.application_id} is not the application that is open")
    asked = tier_named(case.policy, application.tier)
    if asked is None or tier_given(event, case).rank > asked.rank:
        return Refused(RefusalReason.NOT_ASKED_FOR, f"{application.tier} was asked for")
    if case.occurred_ms <= application.since_ms:
        return Refused(RefusalReason.OLDER_THAN_KNOWN, f"verified at {format_ms(application.since_ms)}")
    return None


def rests_on_the_file(event: AdmissionApproved, case: Case) -> Refused | None:
    """All evidence named is on file, nobody has taken any of it back, and what is on file carries the tier."""
    known = {(filed.kind, filed.reference) for filed in case.dossier.file}
    for index, item in enumerate(event.evidence):
        if (item.kind, item.reference) not in known:
            return Refused(RefusalReason.EVIDENCE_NOT_ON_FILE, f"$.evidence[{index}] is not what is on file")
    gone = sorted({reference for _, reference in known} & revoked(case.sweeps, case.arrival_ms))
    if gone:
        return Refused(RefusalReason.ATTESTATION_REVOKED, ", ".join(gone))
    found = lacks_by(case.dossier, tier_given(event, case), case.conduct, case.occurred_ms, case.arrival_ms)
    if found:
        return Refused(RefusalReason.CRITERIA_NOT_MET, ", ".join(f"{lack.what} {lack.why}" for lack in found))
    return None


def is_not_suspended(_event: object, case: Case) -> Refused | None:
    """No suspension stands: that is lifted by its own approval first."""
    if case.dossier.suspended_since_ms is None:
        return None
    return Refused(RefusalReason.SUSPENDED, f"suspended since {format_ms(case.dossier.suspended_since_ms)}")


def evidence_holds(event: AdmissionApproved, case: Case) -> Refused | None:
    """There is evidence, none younger than the event, none expired.

    The dates of a grant below the tier held are judged as of when it was given: no delay stops what lowers.
    """
    if not event.evidence:
        return Refused(RefusalReason.NO_EVIDENCE, "$.evidence is empty")
    as_of_ms = _as_of_ms(event, case)
    for index, item in enumerate(map(evidence_given, event.evidence)):
        if item.issued_ms > case.occurred_ms:
            return Refused(RefusalReason.EVIDENCE_FROM_THE_FUTURE, f"$.evidence[{index}].issued_at is after the event")
        if item.expires_ms is not None and item.expires_ms <= as_of_ms:
            return Refused(RefusalReason.EVIDENCE_EXPIRED, f"$.evidence[{index}].expires_at is over")
    return None


def dates_fit(event: AdmissionApproved, case: Case) -> Refused | None:
    """Expiry and review are ahead, and no later than the tier allows."""
    tier, as_of_ms = tier_given(event, case), _as_of_ms(event, case)
    terms = terms_of(tier)
    grant = grant_given(event, case)
    latest_expiry_ms = grant.granted_ms + tier.grant_ms
    latest_review_ms = grant.granted_ms + terms.every_ms
    if grant.expires_ms <= as_of_ms:
        return Refused(RefusalReason.EXPIRED, "$.expires_at is over")
    if grant.expires_ms > latest_expiry_ms:
        return Refused(RefusalReason.GRANT_TOO_LONG, f"$.expires_at is after {format_ms(latest_expiry_ms)}")
    if grant.review_ms >= grant.expires_ms:
        return Refused(RefusalReason.REVIEW_AFTER_EXPIRY, "$.review_at is not before $.expires_at")
    if grant.review_ms > latest_review_ms:
        return Refused(RefusalReason.REVIEW_TOO_FAR, f"$.review_at is after {format_ms(latest_review_ms)}")
    if grant.grace_until_ms <= as_of_ms:
        return Refused(RefusalReason.REVIEW_OVERDUE, "$.review_at and its grace are over")
    return None


def grant(event: AdmissionApproved, case: Case) -> Change:
    """Put a grant in the place of the one before: a first tier, a renewal, or a higher one."""
    given, held = grant_given(event, case), case.dossier.grant
    # A higher tier's limits take the place of those that somebody approved; a renewal keeps them.
    kept = case.dossier.allowances if renews(event, case) else wishes(case.dossier)
    if held is not None and renews_by_itself(event, case):
        given = renewed(given, held)
    after = replace(case.dossier, grant=given, announced=0, allowances=kept, lowered_ms=_known_ms(case))
    after = to_be_warned(after, *(item.expires_ms for item in given.evidence))
    after = locked_again(after, given, tier_given(event, case))
    # Of an existing whitelist nobody knows who paid before: silence begins when we are told of the grant.
    return Change(replace(after, active_ms=max(after.active_ms, case.arrival_ms)) if given.dormant_ms else after)


def grant_lower(event: AdmissionApproved, case: Case) -> Change:
    """Put a lower grant in the place of the one before, suspended or not."""
    given, held = grant_given(event, case), case.dossier.grant
    if held is not None and refuse_raising(case) is not None:
        # An approval that was refused may have shortened what is held.
        given = shortened(given, held)
    # What is over on arrival leaves the clock nothing to say: the event itself says that base is what remains.
    announced = len(given.steps) if given.grace_until_ms <= case.arrival_ms else 0
    known_ms = max(_known_ms(case), case.occurred_ms)
    after = replace(
        case.dossier, grant=given, announced=announced, allowances=wishes(case.dossier), lowered_ms=known_ms
    )
    return Change(locked_again(after, given, tier_given(event, case)))


def grant_as_applied(event: AdmissionApproved, case: Case) -> Change:
    """Decide the application: the tier, and the limits that were asked for where it is the tier that was."""
    application = case.dossier.application
    after = close(grant(event, case).dossier, "granted", event.reason_code)
    if application is None or after.grant is None:
        return Change(after)
    basis = Basis(application.application_id, application.attempts)
    after = replace(after, grant=replace(after.grant, basis=basis))
    if application.tier != event.tier:
        return Change(after)
    names = signers(event)
    limits = tuple(Allowance(rule, limit, None, event.event_id, names) for rule, limit in application.limits)
    asked = {rule for rule, _ in application.limits}
    others = tuple(one for one in after.allowances if one.rule not in asked)
    return Change(replace(after, allowances=(*others, *limits)))


def _known_ms(case: Case) -> int:
    return lowered_ms(case.dossier, case.arrival_ms)


def _as_of_ms(event: AdmissionApproved, case: Case) -> int:
    return case.occurred_ms if lowers(event, case) else case.arrival_ms
