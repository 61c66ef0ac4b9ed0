"""The policy's points asked of one payment, as a person would: find the case, find the slice, read the points."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.behaviour.features import ELSEWHERE, INDEX, PERIOD, RHYTHM
from pipeline.points.case_names import KNOWN, case_of
from pipeline.points.rule import HOUR, Rule
from pipeline.points.steps import Step, step_of, steps_of
from pipeline.policy.points import Points
from schemas.decision import PointsPart

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
        self.rhythm = not RHYTHM.isdisjoint(name for table in known for name in table.features)
        self._steps = _steps(section, outcome_of_score)

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
        step = step_of(self._steps, total)
        return None if step is None else Reached(total, tuple(parts), step.score(total), step.since)

    def score(self, points: int) -> int:
        """The score that so many points come to; 0 below the first step."""
        step = step_of(self._steps, points)
        return 0 if step is None else step.score(points)

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


# Beyond the last step the score still rises over so many points: 4 logits, from 50 in 100 to 98.
_LAST: Final = 400


def _steps(section: Points, outcome_of_score: Sequence[int]) -> list[Step]:
    given = section.outcomes.given()
    return steps_of(given, given[-1][1] + _LAST if given else 0, outcome_of_score)


def _slice(table: LiveTable, row: Sequence[float]) -> float:
    slices = table.find(row)
    return 0.0 if slices is None else float(bisect_right(slices.below, row[table.figure]))
