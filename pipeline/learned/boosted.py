"""Gradient boosting by LightGBM (the extra `learned`), kept as its text and a card with its hash: never a pickle."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import lightgbm
import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import FEATURES, INDEX, MEMORY, PERIOD
from pipeline.learned.choose import choose

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


class ModelError(ValueError):
    """The text and the card of a model do not belong together, or it was trained on other features."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is: its features in order, the categories by code, what it was trained on, its hash."""

    features: tuple[str, ...]
    categories: tuple[str, ...]
    payments: int
    frauds: int
    first_ms: int
    last_ms: int
    leaves: int
    trees: int
    sha256: str


class Model:
    """A trained model: `text` is LightGBM's own format, `card` tells what it is."""

    def __init__(self, text: str, card: Card) -> None:
        """Take a model.

        Raises:
            ModelError: the card is of another text, or of features that are not known here.

        """
        if sha256(text.encode()).hexdigest() != card.sha256:
            raise ModelError("the card is not this model's: its hash differs")
        unknown = [name for name in card.features if name not in INDEX]
        if unknown:
            raise ModelError(f"trained on features that are not known here: {', '.join(unknown)}")
        self.text = text
        self.card = card
        self._booster = lightgbm.Booster(model_str=text)
        self._columns = [INDEX[name] for name in card.features]

    def score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The probability of fraud of each payment of a batch: (payments, features) to (payments,)."""
        found: npt.NDArray[np.float64] = np.asarray(
            self._booster.predict(features[:, self._columns], num_threads=1), dtype=np.float64
        )
        return found


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
    card = Card(
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
