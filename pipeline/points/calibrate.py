"""Points from labels: count each cell, then count again where no other rule is stronger.

The second count keeps a rule from taking credit for what another one catches: a large amount at a compromised terminal
says nothing about amounts.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import INDEX, MEMORY, PERIOD
from pipeline.points.memory import recent_points
from pipeline.points.rule import HOUR, RECENT_POINTS, RULES, Rule
from pipeline.points.score import Score
from pipeline.points.slicing import Floats, first_edges, join, share
from pipeline.points.table import Ints, Matrix, Slices, Table, case_codes

# Points are hundredths of a logit above the base rate's: finer than any calibration, and still whole numbers.
PER_LOGIT: Final = 100


class Past(NamedTuple):
    """What is known at the moment of calibration.

    `features`: (payments, features); `at_ms` and `account`: of each, in order; `fraud`: 1 or 0; `visible`: whether that
    is known yet; all other labels are not looked at.
    """

    features: Matrix
    at_ms: npt.NDArray[np.int64]
    account: npt.NDArray[np.int32]
    fraud: npt.NDArray[np.int8]
    visible: npt.NDArray[np.bool_]


def calibrate(past: Past, without: Collection[str] = ()) -> Score:
    """The points of every rule, as if nobody knew the features in `without`.

    With no visible fraud, or nothing but fraud, every table is empty: nobody can tell then.
    """
    known = past.fraud[past.visible]
    base = float(known.mean()) if len(known) else 0.0
    if not 0 < base < 1:
        return Score((), None, None)
    features = past.features.copy()
    allowed = [rule for rule in (each.without(without) for each in RULES) if rule]
    hour_rule, recent_rule = HOUR.without(without), RECENT_POINTS.without(without)
    hour = None
    if hour_rule:
        hour = _table(hour_rule, features, past, base)
        features[:, INDEX[PERIOD]] = hour.slice_of(features)
    tables = _again([_table(rule, features, past, base) for rule in allowed], features[past.visible], known, base)
    score = Score(tuple(tables), hour, None)
    if recent_rule is None or not tables:
        return score
    features[:, INDEX[MEMORY]] = recent_points(past.account, past.at_ms, score.of(features))
    recent = _table(recent_rule, features, past, base)
    *tables, recent = _again([*tables, recent], features[past.visible], known, base)
    return Score(tuple(tables), hour, recent)


def _table(rule: Rule, features: Matrix, past: Past, base: float) -> Table:
    figure, codes = features[:, INDEX[rule.figure]], case_codes(rule, features)
    cases: dict[int, Slices] = {}
    for case in np.unique(codes[past.visible]).tolist():
        of_case = codes == case
        edges = first_edges(figure[of_case], rule.slicing)
        counted = of_case & past.visible
        frauds, payments = _count(figure[counted], past.fraud[counted], edges)
        frauds, payments, edges = join(frauds, payments, edges, base, rule.telling)
        cases[case] = Slices(_readable(edges), points_of(frauds, payments, base))
    return Table(rule, cases)


def _readable(edges: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """The same edges once they are float32 again, without the digits that only float64 shows."""
    return tuple([float(f"{edge:.6g}") for edge in edges])


def _again(tables: Sequence[Table], features: Matrix, fraud: npt.NDArray[np.int8], base: float) -> list[Table]:
    return [
        _recounted(table, features[leads], fraud[leads], base)
        for table, leads in zip(tables, leading(tables, features), strict=True)
    ]


def leading(tables: Sequence[Table], features: Matrix) -> list[npt.NDArray[np.bool_]]:
    """Per table, the payments of (payments, features) for which no other one has more points: each of (payments,)."""
    points = [table.points(features) for table in tables]
    most = np.max(points, axis=0) if points else np.zeros(len(features))
    return [each >= most for each in points]


def _recounted(table: Table, features: Matrix, fraud: npt.NDArray[np.int8], base: float) -> Table:
    figure, codes = features[:, INDEX[table.rule.figure]], case_codes(table.rule, features)
    cases = {}
    for case, slices in table.cases.items():
        here = codes == case
        frauds, payments = _count(figure[here], fraud[here], np.array(slices.edges, dtype=np.float32))
        cases[case] = _shortest(slices.edges, points_of(frauds, payments, base))
    return Table(table.rule, cases)


def _shortest(edges: Sequence[float], points: Sequence[int]) -> Slices:
    """Without the edges between slices of the same points."""
    telling = [index for index in range(len(edges)) if points[index] != points[index + 1]]
    return Slices(tuple([edges[index] for index in telling]), (points[0], *[points[index + 1] for index in telling]))


def _count(
    figure: npt.NDArray[np.float32], fraud: npt.NDArray[np.int8], edges: npt.NDArray[np.float32]
) -> tuple[Floats, Floats]:
    inside = np.searchsorted(edges, figure, side="right")
    cells = len(edges) + 1
    return (
        np.bincount(inside, weights=fraud, minlength=cells).astype(np.float64),
        np.bincount(inside, minlength=cells).astype(np.float64),
    )


def points_of(frauds: Floats, payments: Floats, base: float) -> tuple[int, ...]:
    """The points of cells of which so much was counted, `base` being the share of frauds over all."""
    p = share(frauds, payments, base)
    logit = np.log(p / (1 - p)) - np.log(base / (1 - base))
    whole: Ints = np.rint(PER_LOGIT * logit).astype(np.int32)
    return tuple(whole.tolist())
