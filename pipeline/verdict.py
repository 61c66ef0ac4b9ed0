"""From what the rules found to what is done about it: score, outcome, cool-down."""

from typing import Final

from mypy_extensions import mypyc_attr

from pipeline.plan import Plan
from pipeline.policy.model import Action
from pipeline.sight import Finding

_NOTHING: Final = Action()
# One point for each further live signal, at most nine: the strongest rule leads, the others break ties.
_MOST_FURTHER: Final = 9


@mypyc_attr(acyclic=True)
class Verdict:
    """`outcome` is a rank in OUTCOMES; `action` is what is asked for now, nothing where every live signal is cooled.

    `cooling` are the cool-downs that begin with this verdict: rule number to (arrival, epoch ms; outcome).
    """

    __slots__ = ("action", "cooled", "cooling", "outcome", "score")

    def __init__(
        self, outcome: int, score: int, action: Action, cooling: dict[int, tuple[int, int]], *, cooled: bool = False
    ) -> None:
        """Put together what was weighed."""
        self.outcome = outcome
        self.score = score
        self.action = action
        self.cooling = cooling
        self.cooled = cooled


_PASS: Final = Verdict(0, 0, _NOTHING, {})


def score_of(points: list[int]) -> int:
    """The score that live signals of so many points make: the largest + 1 for each further one, at most 9."""
    return max(points) + min(len(points) - 1, _MOST_FURTHER) if points else 0


def weigh(findings: list[Finding], plan: Plan, cooling: dict[int, tuple[int, int]], arrived_ms: int) -> Verdict:
    """Score = the largest points among the live signals + 1 for each further, at most 9; the bands give the outcome.

    A rule's floor lifts the outcome, so that a hard limit never ends in `pass`. Within its cool-down (by arrival) the
    same rule asks for nothing again unless the outcome rises. Loaded history asks for nothing, and cools nothing.
    """
    live = [finding.rule for finding in findings if finding.fires and finding.rule.mode == "live"] if findings else ()
    if not live:
        return Verdict(plan.outcome_of_score[0], 0, _NOTHING, {}) if plan.outcome_of_score[0] else _PASS
    score = score_of([rule.points for rule in live])
    outcome = max(plan.outcome_of_score[score], *(rule.floor for rule in live))
    action = plan.actions[outcome]
    if action == _NOTHING or arrived_ms < plan.warm_until_ms:
        return Verdict(outcome, score, _NOTHING, {})
    for rule in live:
        begun, reached = cooling.get(rule.number, (0, -1))
        if reached < outcome or arrived_ms - begun >= rule.cool_down_ms:
            fresh = {each.number: (arrived_ms, outcome) for each in live}
            return Verdict(outcome, score, action, fresh)
    return Verdict(outcome, score, _NOTHING, {}, cooled=True)
