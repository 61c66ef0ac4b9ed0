"""An alert counted again from what stands on it: whoever doubts it needs no more than the policy that it names."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from pipeline.ids import decision_stem, derived_id
from pipeline.learned.model import Model
from pipeline.plan import Plan
from pipeline.points.live import total_of
from pipeline.points.steps import step_of
from pipeline.policy.learned import LEARNED_RULE
from pipeline.policy.model import AMOUNT_RULES, COUNT_RULES, POINTS_RULE, Policy
from pipeline.signals import reasons_of, retroactive_breach_of
from pipeline.verdict import score_of
from schemas.decision import OUTCOMES, Alert, Signal
from schemas.timestamps import parse_ms

# What the evidence of these adds up to is what they observed.
_SUMS: Final = frozenset(
    {*AMOUNT_RULES, "amount_per_transaction", "new_payee_amount", "new_device_amount", "night_amount"}
)
_COUNTS: Final = frozenset(COUNT_RULES)


class Check(Struct, frozen=True):
    """Something that the alert says, and what it comes to when it is worked out again, both in words."""

    what: str
    said: str
    made: str

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.said == self.made


def recount(alert: Alert, policy: Policy | None, model: Model | None = None) -> list[Check]:
    """All that can be worked out from the alert alone and, where they are at hand, the policy and model it names."""
    checks = [*_identity(alert), *(check for signal in alert.signals for check in _evidence(signal))]
    if alert.retroactive_breach is not None:
        made = retroactive_breach_of(alert.signals)
        checks.append(Check("retroactive breach", alert.retroactive_breach.rule, "" if made is None else made.rule))
    return checks if policy is None else [*checks, *_judgement(alert, Plan(policy, model))]


def score_in_words(alert: Alert) -> str:
    """How the score comes about, so that a person can add it up."""
    live = _live(alert)
    if not live:
        return f"score {alert.score}: no live rule fired"
    first = max(live, key=lambda signal: signal.points)
    further = len(live) - 1
    others = f" + {alert.score - first.points} for {further} further" if further else ""
    return f"score {alert.score} = {first.points} of {first.rule}, the strongest{others}"


def differing(said: object, made: object, place: str = "$") -> Iterator[str]:
    """Where two JSON values differ, as `$.signals[0].observed: 5, run again 6`."""
    if isinstance(said, dict) and isinstance(made, dict):
        for name in sorted(said.keys() | made.keys()):
            yield from differing(said.get(name), made.get(name), f"{place}.{name}")
    elif isinstance(said, list) and isinstance(made, list) and len(said) == len(made):
        for index, (one, other) in enumerate(zip(said, made, strict=True)):
            yield from differing(one, other, f"{place}[{index}]")
    elif said != made:
        yield f"{place}: {said}, run again {made}"


def _live(alert: Alert) -> list[Signal]:
    return [signal for signal in alert.signals if signal.mode == "live"]


def _identity(alert: Alert) -> list[Check]:
    decision_id = decision_stem(alert.source, alert.customer_id) + alert.transaction_id
    return [
        Check("decision id", alert.decision_id, decision_id),
        Check("alert id", alert.alert_id, derived_id("alert", decision_id)),
    ]


def _evidence(signal: Signal) -> Iterator[Check]:
    evidence = signal.evidence
    if evidence is None:
        return
    if signal.rule in _SUMS:
        yield Check(f"{signal.rule}: sum of the evidence", str(signal.observed), str(evidence.sum_minor))
    elif signal.rule in _COUNTS:
        yield Check(f"{signal.rule}: number of the evidence", str(signal.observed), str(evidence.count))
    if signal.rule in _SUMS or signal.rule in _COUNTS:
        yield Check(f"{signal.rule}: above its limit", "true", str(signal.observed > signal.limit).lower())
    in_order = parse_ms(evidence.first) <= parse_ms(evidence.last)
    yield Check(f"{signal.rule}: first before last", "true", str(in_order).lower())


def _judgement(alert: Alert, plan: Plan) -> Iterator[Check]:
    for signal in alert.signals:
        if signal.rule == POINTS_RULE:
            yield from _points(signal, plan)
            continue
        if signal.rule == LEARNED_RULE:
            yield from _learned(signal, plan)
            continue
        rule = plan.rules.get(signal.rule)
        # What is suppressed for a customer is live for everybody else.
        mode = "live" if signal.mode == "suppressed" else signal.mode
        weighs = "off" if rule is None else f"{rule.mode}, {rule.severity}, {rule.points} points"
        yield Check(f"{signal.rule}: weight", f"{mode}, {signal.severity}, {signal.points} points", weighs)
    score = score_of([signal.points for signal in _live(alert)])
    yield Check("score", str(alert.score), str(score))
    floors = [plan.rules[signal.rule].floor for signal in _live(alert) if signal.rule in plan.rules]
    by_points = (POINTS_RULE, LEARNED_RULE)
    floors += [plan.outcome_of_score[signal.points] for signal in _live(alert) if signal.rule in by_points]
    yield Check("outcome", alert.outcome, OUTCOMES[max([plan.outcome_of_score[score], *floors])])
    reasons = reasons_of(alert.signals, plan.policy, alert.tier)
    yield Check("reasons", " ".join(alert.reasons), " ".join(reasons))


def _points(signal: Signal, plan: Plan) -> Iterator[Check]:
    """Each part looked up again, their sum, and the score that the sum comes to."""
    given = [part.points for part in signal.parts]
    total = total_of(max([0, *given]), sum([points for points in given if points > 0]))
    yield Check("points: sum of the parts", str(signal.observed), str(total))
    points = plan.points
    if points is None:
        yield Check("points: in the policy", "some", "none")
        return
    for part in signal.parts:
        yield Check(f"points: {part.rule} {part.figure:.6g}", str(part.points), str(points.points_of(part)))
    yield Check("points: score", str(signal.points), str(points.score(signal.observed)))


def _learned(signal: Signal, plan: Plan) -> Iterator[Check]:
    """The model asked again about the figures on the signal, and the score that its word comes to."""
    step = step_of(plan.learned_steps, signal.observed)
    yield Check("learned: score", str(signal.points), str(0 if step is None else step.score(signal.observed)))
    if plan.model is not None:
        yield Check("learned: in a thousand", str(signal.observed), str(plan.model.again(signal.parts)))
