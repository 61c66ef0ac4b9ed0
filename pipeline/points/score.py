"""The score of a payment: the strongest rule leads, the others break ties."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import INDEX, MEMORY, PERIOD
from pipeline.points.memory import recent_points
from pipeline.points.table import Ints, Matrix, Table

# What the other rules' points are worth beside the strongest rule's.
_LEADS: Final = 20


class Score(NamedTuple):
    """All tables; `hour` says which part of the day it is, `recent` judges the points of the last 48 hours."""

    tables: tuple[Table, ...]
    hour: Table | None
    recent: Table | None

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """The tables in the order in which they are needed."""
        return tuple([table for table in (self.hour, *self.tables, self.recent) if table])

    @property
    def fitted(self) -> int:
        """How many numbers come from data."""
        return sum([table.fitted for table in self.all_tables])

    def of(self, features: Matrix) -> Ints:
        """The scores of payments whose `period` and `memory_48h` are filled in, int32 of (payments,)."""
        tables = (*self.tables, self.recent) if self.recent else self.tables
        if not tables:
            return np.zeros(len(features), dtype=np.int32)
        points = np.stack([table.points(features) for table in tables])
        strongest = points.max(axis=0)
        others = np.maximum(points, 0).sum(axis=0) - np.maximum(strongest, 0)
        score: Ints = (_LEADS * strongest + others).astype(np.int32)
        return score

    def filled(self, features: Matrix, account: Ints, at_ms: npt.NDArray[np.int64]) -> Matrix:
        """A copy of the features with `period` and `memory_48h`, which come from the points themselves."""
        features = features.copy()
        if self.hour:
            features[:, INDEX[PERIOD]] = self.hour.slice_of(features)
        if self.recent:
            first = Score(self.tables, self.hour, None)
            features[:, INDEX[MEMORY]] = recent_points(account, at_ms, first.of(features))
        return features
