"""How large the trees shall be, and how many: tried on the latest part of what is known, before anything is tested."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt

_PATIENCE: Final = 20
# Fewer to try on choose by chance.
_FEW_FRAUDS: Final = 30
# Beyond that, more payments change no choice.
_LATEST: Final = 200_000
_TRIED: Final = 1 / 3


class Size(NamedTuple):
    """Leaves of each tree, trees, and how much each of them may correct those before it."""

    leaves: int
    trees: int
    rate: float


# Larger trees cost more for each score, so there are fewer of them, and each goes further.
_LARGEST: Final = (Size(7, 200, 0.05), Size(15, 140, 0.07), Size(31, 100, 0.1))
# Where too little is known to try anything: trees that cannot learn much by heart, and learn slowly.
DEFAULT: Final = _LARGEST[0]


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
    for size in _LARGEST:
        data = lightgbm.Dataset(figures[:until], fraud[:until], categorical_feature=list(categorical))
        tried = lightgbm.Dataset(figures[until:], fraud[until:], reference=data)
        said: dict[str, dict[str, list[float]]] = {}
        lightgbm.train(
            {**parameters, "num_leaves": size.leaves, "learning_rate": size.rate, "metric": "binary_logloss"},
            data,
            size.trees,
            valid_sets=[tried],
            callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False), lightgbm.record_evaluation(said)],
        )
        losses = said["valid_0"]["binary_logloss"]
        best = int(np.argmin(losses))
        found.append((losses[best], size._replace(trees=best + 1)))
    return min(found)[1]
