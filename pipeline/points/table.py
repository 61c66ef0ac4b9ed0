"""A rule's points: per case the edges of its slices and the points of each."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import INDEX
from pipeline.points.rule import Rule

Matrix = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class Slices(NamedTuple):
    """A figure that is at least `edges[i - 1]` and below `edges[i]` has `points[i]`; the ends are open."""

    edges: tuple[float, ...]
    points: tuple[int, ...]


class Table(NamedTuple):
    """The points of a rule, by case (`case_codes`); a case that is not listed has none."""

    rule: Rule
    cases: Mapping[int, Slices]

    @property
    def fitted(self) -> int:
        """How many numbers of it come from data: edges and points."""
        return sum(len(slices.edges) + len(slices.points) for slices in self.cases.values())

    def slice_of(self, features: Matrix) -> Ints:
        """The slice in which each payment falls: int32 of (payments,); 0 in a case that is not listed."""
        found = np.zeros(len(features), dtype=np.int32)
        figure, codes = features[:, INDEX[self.rule.figure]], case_codes(self.rule, features)
        for case, slices in self.cases.items():
            here = np.nonzero(codes == case)[0]
            found[here] = np.searchsorted(np.array(slices.edges, dtype=np.float32), figure[here], side="right")
        return found

    def points(self, features: Matrix) -> Ints:
        """The points of payments: `features` is (payments, features), the result int32 of (payments,)."""
        found = np.zeros(len(features), dtype=np.int32)
        figure, codes = features[:, INDEX[self.rule.figure]], case_codes(self.rule, features)
        for case, slices in self.cases.items():
            here = np.nonzero(codes == case)[0]
            inside = np.searchsorted(np.array(slices.edges, dtype=np.float32), figure[here], side="right")
            found[here] = np.array(slices.points, dtype=np.int32)[inside]
        return found


def case_codes(rule: Rule, features: Matrix) -> Ints:
    """Which case each payment is of, one number for all its features: int32 of (payments,)."""
    codes = np.zeros(len(features), dtype=np.int32)
    for case in rule.cases:
        value = np.clip(features[:, INDEX[case.feature]], 0, case.most).astype(np.int32)
        codes = codes * np.int32(case.most + 1) + value
    return codes


def case_code(rule: Rule, values: Sequence[int]) -> int:
    """The number of a case, from the values of its features."""
    code = 0
    for case, value in zip(rule.cases, values, strict=True):
        code = code * (case.most + 1) + value
    return code


def case_values(rule: Rule, code: int) -> tuple[int, ...]:
    """The values of a case's features, from its number."""
    values = []
    for case in reversed(rule.cases):
        code, value = divmod(code, case.most + 1)
        values.append(value)
    return tuple(reversed(values))
