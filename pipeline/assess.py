"""What happens to one transaction: validate, seen before?, judge, remember. Judging sees only what came before it."""

from collections.abc import Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from pipeline.asked_for import asked_for
from pipeline.behaviour.features import INDEX
from pipeline.behaviour.live import category_in, is_payment, packed, row_of
from pipeline.customer import Customer
from pipeline.entities.risks import Risks
from pipeline.history import History
from pipeline.history_bytes import digest_of
from pipeline.lists import Lists
from pipeline.messages import message, plain_message
from pipeline.plain import Names, plain_decision
from pipeline.plan import Plan
from pipeline.policy.model import Action
from pipeline.rates import Rates
from pipeline.record import Message
from pipeline.rules import ALONE, VELOCITY, find_patterns
from pipeline.rules.burst import find_in_hour
from pipeline.rules.entity_risk import find_risky
from pipeline.rules.listed import find_listed
from pipeline.rules.points import find_points
from pipeline.sight import Finding, Sight, has_room, has_room_in_hour, is_unnoticed
from pipeline.signals import base_signals_of, retroactive_breach_of, signals_of
from pipeline.validate import REVERSAL, Intake, Rejected
from pipeline.verdict import Verdict, weigh
from pipeline.whitelist.dossier import Dossier, tier_at
from schemas.decision import OUTCOMES, Decision, Reversal, Signal
from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import format_ms, rewrite

# A month of 900,000 such payments still fits the 64 bits in which large customers are summed.
LARGEST_BASE_AMOUNT: Final = 10**13
_CATEGORY: Final = INDEX["category"]


@mypyc_attr(acyclic=True)
class Assessed:
    """A decision of which there is something to say: its outcome's rank, and the messages that it asks for.

    `action`, `features` and `digest` are what those were made of.
    """

    __slots__ = ("action", "decision", "digest", "features", "further", "message", "outcome")

    def __init__(  # noqa: PLR0917 - a record
        self,
        outcome: int,
        message: Message,
        decision: Decision,
        further: Sequence[Message],
        action: Action,
        features: dict[str, int],
        digest: str,
    ) -> None:
        """Hold them together."""
        self.outcome = outcome
        self.message = message
        self.decision = decision
        self.further = further
        self.action = action
        self.features = features
        self.digest = digest


class Duplicate:
    """Seen before, with the same content."""

    __slots__ = ()


def assess(
    customer: Customer, intake: Intake, plan: Plan, rates: Rates, lists: Lists, risks: Risks
) -> Message | Assessed | Duplicate | Rejected:
    """Judge a validated transaction of a customer and remember it. A rejected or repeated one changes nothing.

    Where nothing fired and nothing was given back, as nearly always, all there is to it is the message that says so.
    """
    history = customer.history
    seen = history.seen(intake)
    if seen is not None:
        return Duplicate() if seen else Rejected(Reason.CONFLICTING_DUPLICATE, "known with other content")
    rejected = _convert(intake, plan, rates)
    if rejected is not None:
        return rejected
    names = customer.named_by(intake.source)
    intake.source = names.source  # the same object for all of a customer's: it is hashed once
    granted = tier_at(customer.dossier, intake.arrived_ms)
    tier = intake.tier = 0 if granted is None else plan.ranks.get(granted, 0)
    findings = judge(history, customer.dossier, lists, risks, intake, plan, tier)
    row = row_of(history, risks, intake, rhythm=plan.rhythm) if plan.features and is_payment(intake) else None
    if row is not None:
        find_points(row, intake, plan, findings)
    if row is not None and plan.model is not None:
        row[_CATEGORY] = category_in(plan.model.categories, intake)
        intake.row = packed(*row)
        # Of whoever has not changed since its state was last written the digest can still be made when it is needed.
        if plan.model_alerts and customer.history_changed:
            intake.digest = digest_of(customer.key, history)
    if not findings and intake.quotable and intake.type_index != REVERSAL:
        history.remember(intake)
        if plan.profile:
            history.learn(intake)
        return _plain(customer.key, names, intake, plan, tier)
    verdict = weigh(findings, plan, history.cooling, intake.arrived_ms)
    signals = signals_of(findings, history, intake, tier) if findings else ()
    base_signals = base_signals_of(findings) if findings and tier else ()
    digest = digest_of(customer.key, history) if verdict.action.alert else ""
    reversal = history.remember(intake)
    if plan.profile:
        history.learn(intake)
    if verdict.cooling:
        history.cool(verdict.cooling)
    decision_id = names.decision_id(intake.transaction_id)
    decision = _decision(decision_id, intake, plan, tier, verdict, signals, base_signals, reversal)
    told = message("decisions", customer.key, decision, decision.decision_id, decision.arrived_at)
    features = {finding.rule.name: finding.observed for finding in findings}
    action = verdict.action
    further = asked_for(customer.key, intake, decision, plan, action, features, digest) if findings else ()
    return Assessed(verdict.outcome, told, decision, further, action, features, digest)


def judge(  # noqa: PLR0917 - all that judging may see
    history: History, dossier: Dossier, lists: Lists, risks: Risks, intake: Intake, plan: Plan, tier: int
) -> list[Finding]:
    """Every rule looks, at every tier, unless it is known beforehand that none can find anything."""
    findings: list[Finding] = []
    unnoticed = is_unnoticed(intake, plan, frozen=dossier.frozen)
    room = has_room(history, intake, plan)
    room_in_hour = has_room_in_hour(history, intake, plan)
    risky = risks.concerns(intake)
    if not (unnoticed and room and room_in_hour) or lists.listed or risky:
        sight = Sight(history, dossier, lists, risks, intake, plan, tier)
        if not unnoticed:
            for find in ALONE:
                find(sight, findings)
        if not room:
            for find in VELOCITY:
                find(sight, findings)
        if not room_in_hour:
            find_in_hour(sight, findings)
        if not unnoticed:
            find_patterns(sight, findings)
        find_listed(sight, findings)
        if risky:
            find_risky(sight, findings)
    return findings


def _convert(intake: Intake, plan: Plan, rates: Rates) -> Rejected | None:
    """Put the amount into the base currency; a reversal needs no rate, it gives back at its original's."""
    intake.base_currency = plan.base_currency
    if intake.currency == plan.base_currency or intake.type_index == REVERSAL:
        return _refuse_amount(intake)
    converted = rates.convert(
        intake.amount_minor,
        intake.currency,
        intake.occurred_ms,
        plan.base_currency,
        plan.policy.rate_max_age_ms,
    )
    if converted is None:
        return Rejected(Reason.NO_RATE, f"no rate for {intake.currency} that is not too old")
    intake.base_minor = converted
    return _refuse_amount(intake)


def _refuse_amount(intake: Intake) -> Rejected | None:
    if intake.base_minor <= LARGEST_BASE_AMOUNT:
        return None
    return Rejected(Reason.ABSURD_AMOUNT, f"$.amount is above {LARGEST_BASE_AMOUNT} minor units of the base currency")


def _plain(key: bytes, names: Names, intake: Intake, plan: Plan, tier: int) -> Message:
    transaction_id = intake.transaction_id
    decision_id = names.decision_id(transaction_id)
    occurred_at = rewrite(intake.occurred_at, intake.occurred_ms)
    arrived_at = occurred_at if intake.arrived_ms == intake.occurred_ms else format_ms(intake.arrived_ms)
    tail = plan.calm_tails[intake.lane][tier]
    decision = plain_decision(names, decision_id, transaction_id, occurred_at, arrived_at, tail)
    return plain_message(key, decision, decision_id, arrived_at)


def _decision(  # noqa: PLR0917 - each is a step of the assessment
    decision_id: str,
    intake: Intake,
    plan: Plan,
    tier: int,
    verdict: Verdict,
    signals: tuple[Signal, ...],
    base_signals: tuple[Signal, ...],
    reversal: Reversal | None,
) -> Decision:
    policy = plan.policy
    occurred_at = rewrite(intake.occurred_at, intake.occurred_ms)
    return Decision(
        decision_id=decision_id,
        transaction_id=intake.transaction_id,
        source=intake.source,
        customer_id=intake.customer_id,
        occurred_at=occurred_at,
        arrived_at=occurred_at if intake.arrived_ms == intake.occurred_ms else format_ms(intake.arrived_ms),
        outcome=OUTCOMES[verdict.outcome],
        tier=plan.tiers[tier],
        score=verdict.score,
        lane=intake.lane,
        policy_version=policy.version,
        policy_hash=policy.digest,
        signals=signals,
        base_tier_signals=base_signals,
        retroactive_breach=retroactive_breach_of(signals) if signals else None,
        reversal=reversal,
        cooled=verdict.cooled,
        model_version=plan.model_version,
    )
