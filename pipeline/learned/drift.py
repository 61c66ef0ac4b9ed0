"""How far payments, and what a model says of them, have moved from what it learned from: a figure a feature."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import INDEX
from pipeline.learned.model import SCORE, Model
from schemas.model_file import Sliced

# Of each unit so many payments are looked at: drift is slow, and a unit must not wait for it.
_LOOKED_AT: Final = 32
# Below that a slice holds too few to say anything; beyond it, what is older fades.
_ENOUGH: Final = 2_000
_EMPTY_SHARE: Final = 1e-4


class Drift:
    """Counts of the newest payments by the slices that stand on the model's card. A metric, and never a state."""

    def __init__(self) -> None:
        """Nothing was seen."""
        self._of = ""
        self._slices: Mapping[str, Sliced] = {}
        self._counts: dict[str, npt.NDArray[np.float64]] = {}
        self._seen = 0.0

    def see(self, model: Model, rows: npt.NDArray[np.float32], thousandths: npt.NDArray[np.intp]) -> None:
        """Count some payments of a unit: (payments, features), and what the model said of each."""
        if model.card.sha256 != self._of:
            self._of, self._slices, self._seen = model.card.sha256, model.card.slices, 0.0
            self._counts = {name: np.zeros(len(sliced.below) + 1) for name, sliced in self._slices.items()}
        some = slice(None, None, max(1, len(rows) // _LOOKED_AT))
        self._seen += len(thousandths[some])
        for name, sliced in self._slices.items():
            figures = thousandths[some] if name == SCORE else rows[some, INDEX[name]]
            inside = np.searchsorted(sliced.below, figures, side="right")
            self._counts[name] += np.bincount(inside, minlength=len(sliced.below) + 1)
        if self._seen > 2 * _ENOUGH:
            self._seen /= 2
            self._counts = {name: counts / 2 for name, counts in self._counts.items()}

    def index(self) -> dict[str, float]:
        """The population stability index of each: below 0.1 little has moved, above 0.25 much has; none too early."""
        if self._seen < _ENOUGH:
            return {}
        return {name: stability(sliced.shares, self._counts[name]) for name, sliced in self._slices.items()}


def stability(shares: tuple[float, ...], counts: npt.NDArray[np.float64]) -> float:
    """The sum over slices of (share now - share then) x ln(share now / share then)."""
    then = np.maximum(np.array(shares), _EMPTY_SHARE)
    now = np.maximum(counts / max(counts.sum(), 1), _EMPTY_SHARE)
    return float(((now - then) * np.log(now / then)).sum())


def sliced(figures: npt.NDArray[np.float64]) -> Sliced:
    """Tenths of what was learned from, fewer where many figures are the same, and the share of each."""
    below = np.unique(np.quantile(figures, np.linspace(0.1, 0.9, 9)))
    counts = np.bincount(np.searchsorted(below, figures, side="right"), minlength=len(below) + 1)
    return Sliced(tuple(below.tolist()), tuple((counts / len(figures)).tolist()))
