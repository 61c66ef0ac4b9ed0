"""Points that go on counting as labels become known; their slices stay those of the last calibration."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.points.calibrate import Past, calibrate, leading, points_of
from pipeline.points.score import Score
from pipeline.points.slicing import Floats
from pipeline.points.table import Matrix, Slices, Table, case_codes

# Slices are cut anew when so many times the frauds are known: then there is something new to tell apart.
_ANEW: Final = 2


class Online:
    """Counters for each cell, and the points that follow from them: `score`, which is empty before the first fraud."""

    def __init__(self) -> None:
        """Know nothing."""
        self.score = Score((), None, None)
        self.frauds = self.payments = self._frauds_when_cut = 0
        self._counted: list[dict[int, tuple[Floats, Floats]]] = []

    def is_due(self, frauds: int) -> bool:
        """Whether slices shall be cut anew when so many frauds are known in all."""
        return frauds >= max(1, _ANEW * self._frauds_when_cut)

    def cut(self, past: Past, without: Sequence[str] = ()) -> None:
        """Calibrate on the whole past, and count it."""
        self.score = calibrate(past, without)
        self.frauds = self.payments = 0
        self._frauds_when_cut = int(past.fraud[past.visible].sum())
        self._counted = [
            {case: (np.zeros(len(slices.points)), np.zeros(len(slices.points))) for case, slices in table.cases.items()}
            for table in self.score.all_tables
        ]
        filled = self.score.filled(past.features, past.account, past.at_ms)
        self.learn(filled[past.visible], past.fraud[past.visible])

    def learn(self, features: Matrix, fraud: npt.NDArray[np.int8]) -> None:
        """Count payments whose labels have become known; `features` are those with which they were scored.

        As in a calibration, a payment counts for the rules that lead, and for the hour, which leads nobody.
        """
        self.frauds += int(fraud.sum())
        self.payments += len(fraud)
        main = [table for table in self.score.all_tables if table is not self.score.hour]
        leads = iter(leading(main, features))
        for table, counted in zip(self.score.all_tables, self._counted, strict=True):
            here = np.ones(len(fraud), dtype=np.bool_) if table is self.score.hour else next(leads)
            _count(table, counted, features[here], fraud[here])
        if 0 < self.frauds < self.payments:
            self.score = self._current()

    def _current(self) -> Score:
        base = self.frauds / self.payments
        tables = {
            table.rule.name: _with_points(table, counted, base)
            for table, counted in zip(self.score.all_tables, self._counted, strict=True)
        }
        main = tuple([tables[table.rule.name] for table in self.score.tables])
        hour, recent = self.score.hour, self.score.recent
        return Score(main, hour and tables[hour.rule.name], recent and tables[recent.rule.name])


def _count(
    table: Table, counted: dict[int, tuple[Floats, Floats]], features: Matrix, fraud: npt.NDArray[np.int8]
) -> None:
    codes, inside = case_codes(table.rule, features), table.slice_of(features)
    for case, cells in counted.items():
        here, size = codes == case, len(cells[0])
        counted[case] = (
            cells[0] + np.bincount(inside[here], weights=fraud[here], minlength=size),
            cells[1] + np.bincount(inside[here], minlength=size),
        )


def _with_points(table: Table, counted: dict[int, tuple[Floats, Floats]], base: float) -> Table:
    return Table(
        table.rule,
        {case: Slices(table.cases[case].edges, points_of(*counts, base)) for case, counts in counted.items()},
    )
