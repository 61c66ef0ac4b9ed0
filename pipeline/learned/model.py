"""A model that can be asked: its text was checked, its card fits it."""

from hashlib import sha256
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.behaviour.features import FEATURES, INDEX, RHYTHM
from pipeline.learned.forest import PER_LOGIT, Forest, contributions
from pipeline.learned.text import ModelTextError, read_trees
from schemas.decision import PointsPart
from schemas.model_file import ModelCard

WHOLE: Final = 1_000
# What the model says, where its card names it beside the features.
SCORE: Final = "(score)"
# From which logit on a probability is so many thousandths: looked up, so that no machine rounds otherwise.
_THOUSANDTHS: Final = np.array([round(log(each / (WHOLE - each)) * PER_LOGIT) for each in range(1, WHOLE)])
_PER_POINT: Final = PER_LOGIT // 100


class ModelError(ValueError):
    """The text and the card of a model do not belong together, or it was trained on other features."""


class Model:
    """A trained model: `text` is LightGBM's own format, `card` tells what it is."""

    def __init__(self, text: str, card: ModelCard) -> None:
        """Take a model.

        Raises:
            ModelError: the card is of another text, or of features that are not known here, or the text is no model.

        """
        if sha256(text.encode()).hexdigest() != card.sha256:
            raise ModelError("the card is not this model's: its hash differs")
        unknown = [name for name in card.features if name not in INDEX]
        if unknown or len(set(card.features)) != len(card.features):
            raise ModelError(f"trained on features that are not known here: {', '.join(unknown) or 'some twice'}")
        for name, one in card.slices.items():
            if name not in {*card.features, SCORE} or len(one.shares) != len(one.below) + 1:
                raise ModelError(
                    f"the card slices {name[:40]!r}, which is no feature of it, or has not a share for each"
                )
        try:
            self.forest = Forest(read_trees(text, len(card.features)))
        except ModelTextError as error:
            raise ModelError(str(error)) from None
        self.text = text
        self.card = card
        self.categories = {name: index for index, name in enumerate(card.categories)}
        self._columns = [INDEX[name] for name in card.features]
        self.rhythm = not RHYTHM.isdisjoint(card.features)

    def logits(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """How likely fraud is, in millionths of a logit: (payments, features) to (payments,)."""
        return self.forest.logits(features[:, self._columns])

    def score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """The probability of fraud of each payment of a batch: (payments, features) to (payments,)."""
        probability: npt.NDArray[np.float64] = 1 / (1 + np.exp(-self.logits(features) / PER_LOGIT))
        return probability

    def thousandths(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
        """The same in thousandths, rounded down."""
        return np.searchsorted(_THOUSANDTHS, self.logits(features), side="right")

    def parts(self, row: npt.NDArray[np.float32]) -> tuple[PointsPart, ...]:
        """What each feature of a payment adds, in hundredths of a logit, strongest first; `(all)` is where it began."""
        figures = row[self._columns].tolist()
        base, of = contributions(self.forest.trees, figures)
        added = [
            PointsPart(FEATURES[self._columns[at]], "", figure, round(of.get(at, 0) / _PER_POINT))
            for at, figure in enumerate(figures)
        ]
        added.sort(key=lambda part: (-abs(part.points), part.rule))
        return (PointsPart("(all)", "", 0.0, round(base / _PER_POINT)), *added)

    def again(self, parts: tuple[PointsPart, ...]) -> int | None:
        """The thousandths that the figures of parts come to; None where they are not this model's features."""
        figures = {part.rule: part.figure for part in parts}
        if not all(name in figures for name in self.card.features):
            return None
        row = np.zeros((1, len(FEATURES)), dtype=np.float32)
        row[0, self._columns] = [figures[name] for name in self.card.features]
        return int(self.thousandths(row)[0])
