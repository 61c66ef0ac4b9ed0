"""A rule's points: per case the edges of its slices and the points of each."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import INDEX
from pipeline.points.rule import Rule

Case = tuple[int, ...]
Matrix = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class Slices(NamedTuple):
    """A figure that is at least `edges[i - 1]` and below `edges[i]` has `points[i]`; the ends are open."""

    edges: tuple[float, ...]
    points: tuple[int, ...]


class Table(NamedTuple):
    """The points of a rule; a case that is not listed has none."""

    rule: Rule
    cases: Mapping[Case, Slices]

    @property
    def fitted(self) -> int:
        """How many numbers of it come from data: edges and points."""
        return sum(len(slices.edges) + len(slices.points) for slices in self.cases.values())

    def points(self, features: Matrix) -> Ints:
        """The points of payments: `features` is (payments, features), the result int32 of (payments,)."""
        found = np.zeros(len(features), dtype=np.int32)
        figure = features[:, INDEX[self.rule.figure]]
        for case, slices in self.cases.items():
            here = select(self.rule, case, features)
            inside = np.searchsorted(np.array(slices.edges, dtype=np.float32), figure[here], side="right")
            found[here] = np.array(slices.points, dtype=np.int32)[inside]
        return found


def case_codes(rule: Rule, features: Matrix) -> npt.NDArray[np.int32]:
    """Which case each payment is of: (payments, cases' features) of int32."""
    columns = [np.clip(features[:, INDEX[case.feature]], 0, case.most) for case in rule.cases]
    if not columns:
        return np.zeros((len(features), 0), dtype=np.int32)
    return np.stack(columns, axis=1).astype(np.int32)


def select(rule: Rule, case: Case, features: Matrix) -> npt.NDArray[np.bool_]:
    """Which payments are of a case."""
    return np.all(case_codes(rule, features) == np.array(case, dtype=np.int32), axis=1)
