"""From how much on a payment ends how, and which score it has in between."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.decision import OUTCOMES, Outcome

_MOST: Final = 100


class Step(NamedTuple):
    """From `since` on the score rises evenly from `low`, to reach `high` where the next step begins."""

    since: int
    until: int
    low: int
    high: int

    def score(self, points: int) -> int:
        """The score of so many points."""
        return self.low + (self.high - self.low) * (min(points, self.until) - self.since) // (self.until - self.since)


def steps_of(given: Sequence[tuple[Outcome, int]], end: int, outcome_of_score: Sequence[int]) -> list[Step]:
    """The steps that begin at `given`, harsher ones later; beyond the last one the score rises up to `end`.

    `outcome_of_score` is the rank of the outcome in which each score ends.
    """
    steps = []
    for at, (outcome, since) in enumerate(given):
        rank = OUTCOMES.index(outcome)
        scores = [score for score, ends_in in enumerate(outcome_of_score) if ends_in == rank and score <= _MOST]
        until = given[at + 1][1] if at + 1 < len(given) else max(end, since + 1)
        if scores and until > since:
            steps.append(Step(since, until, scores[0], scores[-1]))
    return steps


def step_of(steps: Sequence[Step], points: int) -> Step | None:
    """The last step that so many points have reached; None below the first."""
    found = None
    for step in steps:
        if points >= step.since:
            found = step
    return found
