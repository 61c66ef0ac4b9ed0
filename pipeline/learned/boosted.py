"""Gradient boosting by LightGBM (the extra `learned`), which only trains: `pipeline.learned.model` asks its trees."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import lightgbm
import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import FEATURES, INDEX, MEMORY, PERIOD
from pipeline.learned.choose import choose
from pipeline.learned.model import Model, ModelError
from schemas.model_file import ModelCard

_PARAMETERS: Final = {
    "objective": "binary",
    # Each tree sees half of the features: a week of labels holds a few hundred frauds, and one feature would rule all.
    "feature_fraction": 0.5,
    # Where one payment in ten thousand is fraud, a leaf without weight would be sure of anything.
    "lambda_l2": 1.0,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
    # Threads that wait for each other on a busy machine cost more than they bring.
    "num_threads": 1,
    "verbose": -1,
}
# What the points fill in is theirs: the model stands beside them, not on them.
_OF_POINTS: Final = frozenset({PERIOD, MEMORY})


def train(
    features: npt.NDArray[np.float32],
    fraud: npt.NDArray[np.int8],
    at_ms: npt.NDArray[np.int64],
    categories: Sequence[str],
    without: Sequence[str] = (),
) -> Model:
    """A model of payments whose labels are visible: (payments, features), and 1 or 0 of each, in their order.

    The size of its trees and their number are chosen within these payments.

    Raises:
        ModelError: there is no fraud among them, or nothing else.

    """
    if not 0 < int(fraud.sum()) < len(fraud):
        raise ModelError("it takes both fraud and genuine payments to learn to tell them apart")
    names = [name for name in FEATURES if name not in {*without, *_OF_POINTS}]
    figures = features[:, [INDEX[name] for name in names]]
    categorical = [index for index, name in enumerate(names) if name == "category"]
    size = choose(figures, fraud, _PARAMETERS, categorical)
    data = lightgbm.Dataset(figures, fraud, feature_name=names, categorical_feature=categorical)
    chosen = {"num_leaves": size.leaves, "learning_rate": size.rate}
    text = lightgbm.train({**_PARAMETERS, **chosen}, data, size.trees).model_to_string()
    card = ModelCard(
        features=tuple(names),
        categories=tuple(categories),
        payments=len(fraud),
        frauds=int(fraud.sum()),
        first_ms=int(at_ms.min()),
        last_ms=int(at_ms.max()),
        leaves=size.leaves,
        trees=size.trees,
        sha256=sha256(text.encode()).hexdigest(),
    )
    return Model(text, card)
