"""From what the rules found to what is done about it: score, outcome, cool-down."""

from typing import Final, NamedTuple

from pipeline.plan import Plan
from pipeline.policy.model import Action
from pipeline.sight import Finding

_NOTHING: Final = Action()
# One point for each further live signal, at most nine: the strongest rule leads, the others break ties.
_MOST_FURTHER: Final = 9


class Verdict(NamedTuple):
    """`outcome` is a rank in OUTCOMES; `action` is what is asked for now, nothing where every live signal is cooled.

    `cooling` are the cool-downs that begin with this verdict: rule number to (arrival, epoch ms; outcome).
    """

    outcome: int
    score: int
    action: Action
    cooled: bool
    cooling: dict[int, tuple[int, int]]


_PASS: Final = Verdict(0, 0, _NOTHING, cooled=False, cooling={})


def weigh(findings: list[Finding], plan: Plan, cooling: dict[int, tuple[int, int]], arrived_ms: int) -> Verdict:
    """Score = the largest points among the live signals + 1 for each further, at most 9; the bands give the outcome.

    A rule's floor lifts the outcome, so that a hard limit never ends in `pass`. Within its cool-down (by arrival) the
    same rule asks for nothing again unless the outcome rises.
    """
    live = [finding.rule for finding in findings if finding.fires and finding.rule.mode == "live"]
    if not live:
        return _PASS._replace(outcome=plan.outcome_of_score[0]) if plan.outcome_of_score[0] else _PASS
    score = max(rule.points for rule in live) + min(len(live) - 1, _MOST_FURTHER)
    outcome = max(plan.outcome_of_score[score], *(rule.floor for rule in live))
    action = plan.actions[outcome]
    if action == _NOTHING:
        return Verdict(outcome, score, action, cooled=False, cooling={})
    for rule in live:
        begun, reached = cooling.get(rule.number, (0, -1))
        if reached < outcome or arrived_ms - begun >= rule.cool_down_ms:
            fresh = {each.number: (arrived_ms, outcome) for each in live}
            return Verdict(outcome, score, action, cooled=False, cooling=fresh)
    return Verdict(outcome, score, _NOTHING, cooled=True, cooling={})
