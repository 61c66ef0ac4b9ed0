"""How large the trees shall be, and how many: tried on the latest part of what is known, before anything is tested."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt

_LEAVES: Final = (7, 15, 31)
# More would cost more than 5 microseconds a payment.
_MOST_TREES: Final = 100
_PATIENCE: Final = 20
_RATE: Final = 0.1
# Fewer to try on choose by chance.
_FEW_FRAUDS: Final = 30
# Beyond that, more payments change no choice.
_LATEST: Final = 100_000
_TRIED: Final = 1 / 3


class Size(NamedTuple):
    """Leaves of each tree, trees, and how much each of them may correct those before it."""

    leaves: int
    trees: int
    rate: float


# Where too little is known to try anything: trees that cannot learn much by heart, and learn slowly.
DEFAULT: Final = Size(7, _MOST_TREES, _RATE / 2)


def choose(
    figures: npt.NDArray[np.float32],
    fraud: npt.NDArray[np.int8],
    parameters: Mapping[str, Any],
    categorical: Sequence[int],
) -> Size:
    """The size whose probabilities fit best to the payments of the last third of frauds, learned from those before.

    `figures` is (payments, features), in the order in which the payments happened; `fraud` is 1 or 0 of each;
    `categorical` are the columns that are categories.
    """
    figures, fraud = figures[-_LATEST:], fraud[-_LATEST:]
    frauds = np.nonzero(fraud)[0]
    learned = round(len(frauds) * (1 - _TRIED))
    if len(frauds) - learned < _FEW_FRAUDS:
        return DEFAULT
    # Frauds are what is scarce: where they thin out, a third of the payments would hold next to none.
    until = int(frauds[learned])
    found: list[tuple[float, Size]] = []
    for leaves in _LEAVES:
        data = lightgbm.Dataset(figures[:until], fraud[:until], categorical_feature=list(categorical))
        tried = lightgbm.Dataset(figures[until:], fraud[until:], reference=data)
        said: dict[str, dict[str, list[float]]] = {}
        lightgbm.train(
            {**parameters, "num_leaves": leaves, "learning_rate": _RATE, "metric": "binary_logloss"},
            data,
            _MOST_TREES,
            valid_sets=[tried],
            callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False), lightgbm.record_evaluation(said)],
        )
        losses = said["valid_0"]["binary_logloss"]
        best = int(np.argmin(losses))
        found.append((losses[best], Size(leaves, best + 1, _RATE)))
    return min(found)[1]
