"""What one customer may beside the tier: limits of their own, and rules that ask for nothing for a while."""

from collections.abc import Iterator
from dataclasses import replace

from pipeline.ids import derived_id
from pipeline.policy.model import LIMIT_RULES, Tier
from pipeline.whitelist.application import refuse_limit
from pipeline.whitelist.dossier import Allowance, Dossier, tier_at
from pipeline.whitelist.evidence import lacks_by
from pipeline.whitelist.grounds import since_review
from pipeline.whitelist.outgoing import reviewed
from pipeline.whitelist.signatures import refuse_signatures, signers
from pipeline.whitelist.tiers import tier_in_force
from pipeline.whitelist.transition import Ahead, Case, Change, Refused
from pipeline.whitelist.wishes import answered, tightest, wishes
from schemas.re_review import ReReview
from schemas.reasons import RefusalReason
from schemas.standing_event import (
    LimitChangeApproved,
    LimitChangeRequested,
    SuppressionApproved,
    SuppressionEnded,
)
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms

# How soon somebody answers a customer who asks for a higher limit.
ANSWER_MS = 3 * MS_PER_DAY
# No rule of a transaction, but a journey explains it as well as a broken limit.
PROFILE_SHIFT = "profile_shift"
# A journey or a large payment is over by then; whoever needs longer needs another tier.
LONGEST_SUPPRESSION_MS = 30 * MS_PER_DAY

LimitEvent = LimitChangeRequested | LimitChangeApproved


def allowed(dossier: Dossier, at_ms: int) -> Iterator[Allowance]:
    """What holds at a moment: nothing without a tier in force, and no temporary one past its end."""
    if tier_at(dossier, at_ms) is not None:
        yield from (one for one in dossier.allowances if one.until_ms is None or at_ms < one.until_ms)


def limits_of(dossier: Dossier, tier: Tier, at_ms: int) -> dict[str, int]:
    """The limits in force: a temporary one beats a lasting one, that the tier's, and none the tier's ceiling.

    What the customer asked for and nobody approved may only be less than the tier's, and what was approved beats it.
    """
    return dict(tier.limits) | {rule: _held(one, tier) for rule, one in _deciding(dossier, tier, at_ms).items()}


def limits_until(dossier: Dossier, tier: Tier, at_ms: int) -> dict[str, str]:
    """Until when a limit in force holds, of those that end by themselves."""
    deciding = _deciding(dossier, tier, at_ms).values()
    return {one.rule: format_ms(one.until_ms) for one in deciding if one.until_ms is not None}


def _deciding(dossier: Dossier, tier: Tier, at_ms: int) -> dict[str, Allowance]:
    """By rule, which of the customer's own limits holds: what was approved, else the lowest that was asked for."""
    deciding: dict[str, Allowance] = {}
    own = [one for one in allowed(dossier, at_ms) if one.limit is not None and one.rule in tier.limits]
    for one in sorted(own, key=lambda one: (bool(one.approvers), one.until_ms is not None)):
        known = deciding.get(one.rule)
        if known is None or one.approvers or _held(one, tier) < _held(known, tier):
            deciding[one.rule] = one
    return deciding


def _held(one: Allowance, tier: Tier) -> int:
    standard = tier.limits[one.rule]
    return min(one.limit or 0, standard * tier.ceiling_pct // 100 if one.approvers else standard)


def suppressed(dossier: Dossier, at_ms: int) -> dict[str, str]:
    """Until when which rule asks for nothing."""
    held = [one for one in allowed(dossier, at_ms) if one.limit is None and one.until_ms is not None]
    return {one.rule: format_ms(one.until_ms or 0) for one in held}


def next_end_ms(dossier: Dossier, _ahead: Ahead) -> int | None:
    """The next moment at which something temporary ends, None for never."""
    return min((one.until_ms for one in dossier.allowances if one.until_ms is not None), default=None)


def drop_ended(dossier: Dossier, at_ms: int) -> Dossier:
    """Without what has ended."""
    return replace(
        dossier,
        allowances=tuple(one for one in dossier.allowances if one.until_ms is None or at_ms < one.until_ms),
    )


def has_a_limit(event: LimitChangeRequested, _case: Case) -> Refused | None:
    """The rule has a limit."""
    if event.rule in LIMIT_RULES:
        return None
    return Refused(RefusalReason.UNKNOWN_RULE, f"{event.rule} is no limit of a tier")


def is_lower(event: LimitChangeRequested, case: Case) -> bool:
    """The limit is not above the one in force."""
    tier = tier_in_force(case.dossier, case.policy, case.arrival_ms)
    now = limits_of(case.dossier, tier, case.arrival_ms).get(event.rule)
    return now is not None and event.limit <= now


def holds_a_tier(_event: object, case: Case) -> Refused | None:
    """A tier above base is in force: what is allowed beside it goes with it."""
    if tier_at(case.dossier, case.arrival_ms) is not None:
        return None
    return Refused(RefusalReason.NO_GRANT, "no tier above base is in force")


def newer_than_the_grant(_event: object, case: Case) -> Refused | None:
    """It occurred after the grant it goes with."""
    grant = case.dossier.grant
    if grant is None or case.occurred_ms > grant.granted_ms:
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"{grant.tier} was granted at {format_ms(grant.granted_ms)}")


def within_the_ceiling(event: LimitEvent, case: Case) -> Refused | None:
    """The rule has a limit, and the tier's ceiling is no lower."""
    return refuse_limit(tier_in_force(case.dossier, case.policy, case.arrival_ms), event.rule, event.limit)


def raises_the_limit(event: LimitChangeApproved, case: Case) -> Refused | None:
    """It is above what holds for as long: what lowers takes no approval, and no order may lose it."""
    tier = tier_in_force(case.dossier, case.policy, case.arrival_ms)
    lasting = tuple(one for one in case.dossier.allowances if one.until_ms is None)
    holds = limits_of(replace(case.dossier, allowances=lasting), tier, case.arrival_ms).get(event.rule, 0)
    approved = (one for one in case.dossier.allowances if one.rule == event.rule and one.approvers)
    temporary = next((one for one in approved if one.until_ms is not None and one.limit is not None), None)
    until_ms = None if event.until is None else parse_ms(event.until)
    if until_ms is None or temporary is None or temporary.limit is None:
        raised = event.limit > holds
    else:
        raised = (event.limit, until_ms) > (temporary.limit, temporary.until_ms or 0)
    return None if raised else Refused(RefusalReason.NOT_A_RAISE, f"{event.rule} is no lower than that")


def file_carries_the_tier(_event: object, case: Case) -> Refused | None:
    """What is on file still meets the criteria of the tier."""
    tier = tier_in_force(case.dossier, case.policy, case.arrival_ms)
    found = lacks_by(case.dossier, tier, case.conduct, case.occurred_ms, case.arrival_ms)
    if not found:
        return None
    return Refused(RefusalReason.CRITERIA_NOT_MET, ", ".join(f"{lack.what} {lack.why}" for lack in found))


def ends_ahead(event: LimitEvent | SuppressionApproved, case: Case) -> Refused | None:
    """The end, where there is one, is still ahead."""
    if event.until is None or parse_ms(event.until) > case.arrival_ms:
        return None
    return Refused(RefusalReason.EXPIRED, "$.until is over")


def ends_soon(event: SuppressionApproved, case: Case) -> Refused | None:
    """It lasts no longer than any suppression may."""
    latest_ms = case.occurred_ms + LONGEST_SUPPRESSION_MS
    if parse_ms(event.until) <= latest_ms:
        return None
    return Refused(RefusalReason.TOO_LONG, f"$.until is after {format_ms(latest_ms)}")


def lasts_longer(event: SuppressionApproved, case: Case) -> Refused | None:
    """It ends later than the one of that rule which holds: what shortens takes no approval."""
    known = suppressed(case.dossier, case.arrival_ms).get(event.rule)
    if known is None or parse_ms(event.until) > parse_ms(known):
        return None
    return Refused(RefusalReason.NOT_A_RAISE, f"{event.rule} is suppressed until {known}")


def can_be_suppressed(event: SuppressionApproved, _case: Case) -> Refused | None:
    """The rule exists, and is none that nobody can buy off."""
    if event.rule in LIMIT_RULES or event.rule == PROFILE_SHIFT:
        return None
    return Refused(RefusalReason.UNKNOWN_RULE, f"{event.rule} cannot be suppressed")


def signed_for_the_tier(event: LimitChangeApproved | SuppressionApproved, case: Case) -> Refused | None:
    """The approvals of the tier in force; nobody who gathered the evidence."""
    beside = frozenset(filed.gathered_by for filed in case.dossier.file)
    return refuse_signatures(event, case, tier_in_force(case.dossier, case.policy, case.arrival_ms), beside)


def lower_limit(event: LimitChangeRequested, case: Case) -> Change:
    """A lower limit is a customer's own word: it holds at once, and whatever is older may not raise anything."""
    approved = {one for one in case.dossier.allowances if one.rule == event.rule and one.approvers}
    others = tuple(one for one in case.dossier.allowances if one not in approved or one.limit is None)
    return _wish(event, case._replace(dossier=replace(case.dossier, allowances=others)))


def trace_lower(event: LimitChangeRequested, case: Case) -> Dossier:
    """What is left of a lower limit that was over on arrival: no more than had it come in time."""
    return lower_limit(event, case).dossier


def trace(event: LimitChangeRequested, case: Case) -> Dossier:
    """What is left of a wish that is refused: for a higher tier, of which nobody knows yet, it may be a lower limit."""
    return case.dossier if has_a_limit(event, case) is not None else _wish(event, case).dossier


def _wish(event: LimitChangeRequested, case: Case) -> Change:
    """Beside what was asked for before: in whatever order they arrive, none undoes another, which takes an approval."""
    new = _limit(event, ())
    wished = [one for one in wishes(case.dossier) if one.rule == event.rule]
    others = tuple(one for one in case.dossier.allowances if one not in wished)
    known_ms = max(case.dossier.lowered_ms, case.occurred_ms)
    if new.until_ms is None or new.until_ms > case.arrival_ms:
        wished = [*wished, new]
    return Change(replace(case.dossier, allowances=_sorted(*others, *tightest(*wished)), lowered_ms=known_ms))


def ask_for_limit(event: LimitChangeRequested, case: Case) -> Change:
    """A higher one is looked at by a person."""
    request = ReReview(
        request_id=derived_id(event.customer_id, event.event_id, "limit_change"),
        kind="request",
        customer_id=event.customer_id,
        tier=tier_in_force(case.dossier, case.policy, case.arrival_ms).name,
        why="limit_change",
        check=(event.rule,),
        requested_at=format_ms(case.arrival_ms),
        due_at=format_ms(case.arrival_ms + ANSWER_MS),
        since_review=since_review(case.dossier, case.conduct, case.arrival_ms),
    )
    # For a higher tier, of which nobody knows yet, it may be a lower one.
    return _wish(event, case)._replace(outgoing=(reviewed(request),))


def raise_limit(event: LimitChangeApproved, case: Case) -> Change:
    """The limit holds, until its end where it has one; a lasting one answers what the customer asked for before."""
    new, dossier = _limit(event, signers(event)), case.dossier
    if new.until_ms is None:
        dossier = replace(dossier, allowances=answered(dossier, event.rule, event.limit))
    return Change(_with(dossier, new))


def suppress(event: SuppressionApproved, case: Case) -> Change:
    """What the rule finds asks for nothing until the end."""
    one = Allowance(event.rule, None, parse_ms(event.until), event.event_id, signers(event))
    return Change(_with(case.dossier, one))


def end_suppression(event: SuppressionEnded, case: Case) -> Change:
    """The rule asks again at once; whatever is older may not suppress it."""
    left = tuple(one for one in case.dossier.allowances if one.rule != event.rule or one.limit is not None)
    known_ms = max(case.dossier.lowered_ms, case.occurred_ms)
    return Change(replace(case.dossier, allowances=left, lowered_ms=known_ms))


def _limit(event: LimitEvent, approvers: tuple[str, ...]) -> Allowance:
    until_ms = None if event.until is None else parse_ms(event.until)
    return Allowance(event.rule, event.limit, until_ms, event.event_id, approvers)


def _with(dossier: Dossier, new: Allowance) -> Dossier:
    """Beside the others; in the place of one of the same rule and kind."""
    others = [one for one in dossier.allowances if _kind(one) != _kind(new)]
    return replace(dossier, allowances=_sorted(*others, new))


def _sorted(*allowances: Allowance) -> tuple[Allowance, ...]:
    return tuple(sorted(allowances, key=lambda one: (one.rule, one.event_id)))


def _kind(one: Allowance) -> tuple[str, bool, bool, bool]:
    return one.rule, one.limit is None, one.until_ms is None, bool(one.approvers)
