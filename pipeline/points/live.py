"""The policy's points asked of one payment, as a person would: find the case, find the slice, read the points."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.behaviour.features import ELSEWHERE, GROUPS, INDEX, PERIOD
from pipeline.points.case_names import KNOWN, case_of
from pipeline.points.rule import HOUR, Rule
from pipeline.policy.points import Points
from schemas.decision import OUTCOMES, PointsPart

# What the other rules' points are worth beside the strongest rule's.
LEADS: Final = 20


class Slices(NamedTuple):
    """The case in words, the edges of its slices, and the points of each."""

    words: str
    below: list[float]
    points: list[int]


class LiveTable:
    """A rule's points by the values of its cases."""

    def __init__(self, name: str, points: Points) -> None:
        """Read the table of that name."""
        rule: Rule = KNOWN[name]
        self.name = name
        self.by_case: dict[tuple[int, ...], Slices] = {}
        for words, case in points.tables[name].items():
            rule, values = case_of(KNOWN[name], words, points.categories)
            self.by_case[values] = Slices(words, list(case.below), list(case.points))
        self.figure = INDEX[rule.figure]
        self.cases = [(INDEX[case.feature], case.most) for case in rule.cases]
        self.features = frozenset([rule.figure, *[case.feature for case in rule.cases]])

    def find(self, row: Sequence[float]) -> Slices | None:
        """The slices of the row's case; None where the table has no such case."""
        return self.by_case.get(tuple([max(0, min(most, int(row[index]))) for index, most in self.cases]))


class Reached(NamedTuple):
    """The points of a payment, what each table gave, and what they come to: `score`, and from how many on."""

    points: int
    parts: tuple[PointsPart, ...]
    score: int
    limit: int


class LivePoints:
    """The section, ready; tables whose figure is not known while judging say nothing."""

    def __init__(self, section: Points, outcome_of_score: Sequence[int]) -> None:
        """Prepare; `outcome_of_score` is the rank of the outcome in which each score ends."""
        tables = [LiveTable(name, section) for name in KNOWN if name in section.tables]
        known = [table for table in tables if KNOWN[table.name].figure not in ELSEWHERE]
        self.hour = next((table for table in known if table.name == HOUR.name), None)
        self.tables = [table for table in known if table.name != HOUR.name]
        self.categories = {name: index for index, name in enumerate(section.categories)}
        # The payments of the last day cost the most to look up.
        self.rhythm = any(name in GROUPS["rhythm"] for table in known for name in table.features)
        self._steps = _steps(section, outcome_of_score)
        self._least = self._steps[0].since if self._steps else 0

    def reached(self, row: list[float]) -> Reached | None:
        """What a payment of these features comes to, `period` filled in; None if it is nothing to speak of."""
        if not self._steps or not self.tables:
            return None
        if self.hour is not None:
            row[INDEX[PERIOD]] = _slice(self.hour, row)
        parts: list[PointsPart] = []
        strongest = others = 0
        for table in self.tables:
            slices = table.find(row)
            points = 0
            if slices is not None:
                figure = row[table.figure]
                points = slices.points[bisect_right(slices.below, figure)]
                parts.append(PointsPart(table.name, slices.words, figure, points))
            strongest = max(strongest, points)
            others += max(points, 0)
        total = total_of(strongest, others)
        if total < self._least:
            return None
        step = [step for step in self._steps if total >= step.since][-1]
        return Reached(total, tuple(parts), step.score(total), step.since)

    def score(self, points: int) -> int:
        """The score that so many points come to; 0 below the first step."""
        scores = [step.score(points) for step in self._steps if points >= step.since]
        return scores[-1] if scores else 0

    def points_of(self, part: PointsPart) -> int | None:
        """What a part's table gives for its figure; None where the policy has no such table or case."""
        for table in self.tables:
            for slices in table.by_case.values():
                if (table.name, slices.words) == (part.rule, part.case):
                    return slices.points[bisect_right(slices.below, part.figure)]
        return None


def total_of(strongest: int, others: int) -> int:
    """The strongest rule's points, and a twentieth of the other rules'; what is below 0 counts as nothing.

    `others` is the sum of all points above 0, the strongest's included.
    """
    return strongest + (others - strongest) // LEADS


class Step(NamedTuple):
    """From `since` points on the score rises evenly from `low`, to reach `high` where the next step begins."""

    since: int
    until: int
    low: int
    high: int

    def score(self, points: int) -> int:
        """The score of so many points."""
        return self.low + (self.high - self.low) * (min(points, self.until) - self.since) // (self.until - self.since)


# Beyond the last step the score still rises over so many points: 4 logits, from 50 in 100 to 98.
_LAST: Final = 400
_MOST: Final = 100


def _steps(section: Points, outcome_of_score: Sequence[int]) -> list[Step]:
    """From how many points on a payment ends how, and which scores end so."""
    outcomes = section.outcomes
    begins = ((outcomes.challenge, "challenge"), (outcomes.review, "review"), (outcomes.hold, "hold"))
    given = [(since, OUTCOMES.index(outcome)) for since, outcome in begins if since is not None]
    steps = []
    for at, (since, rank) in enumerate(given):
        scores = [score for score, ends_in in enumerate(outcome_of_score) if ends_in == rank and score <= _MOST]
        until = given[at + 1][0] if at + 1 < len(given) else since + _LAST
        if scores and until > since:
            steps.append(Step(since, until, scores[0], scores[-1]))
    return steps


def _slice(table: LiveTable, row: Sequence[float]) -> float:
    slices = table.find(row)
    return 0.0 if slices is None else float(bisect_right(slices.below, row[table.figure]))
