"""What the learned score costs: our own trees, and LightGBM's, asked about the same full batches."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.learned.forest import Forest
from pipeline.learned.text import read_trees


class Size(NamedTuple):
    """How many trees, of how many leaves."""

    trees: int
    leaves: int


# As large as training makes them (`pipeline.learned.choose`), and the size that others publish.
SIZES = (Size(200, 7), Size(140, 15), Size(200, 15), Size(100, 31))
_FEATURES = 28
_BATCH = 1_500
_TRAINED_ON = 20_000
_CATEGORIES = 40


def forests(seed: int, repeats: int) -> dict[str, Any]:
    """Return CPU microseconds a payment for the largest forests of each kind, the fastest of the repeats."""
    chance = np.random.default_rng(seed)
    figures = chance.random((_TRAINED_ON, _FEATURES)).astype(np.float32)
    figures[:, 1] = chance.integers(0, _CATEGORIES, _TRAINED_ON)
    noise = chance.normal(0, 0.3, _TRAINED_ON)
    fraud = figures[:, 0] + figures[:, 2] * figures[:, 3] + (figures[:, 1] % 3 == 0) + noise > 1.9  # noqa: PLR2004 - some
    measured: dict[str, Any] = {"batch": _BATCH, "features": _FEATURES}
    for size in SIZES:
        measured[f"{size.trees} trees of {size.leaves} leaves"] = _costs(figures, fraud, size, repeats)
    return measured


def _costs(
    figures: npt.NDArray[np.float32], fraud: npt.NDArray[np.bool_], size: Size, repeats: int
) -> dict[str, float]:
    import lightgbm  # noqa: PLC0415 - an extra, and asked for by no other benchmark

    settings = {"objective": "binary", "num_leaves": size.leaves, "num_threads": 1, "verbose": -1}
    data = lightgbm.Dataset(figures, fraud, categorical_feature=[1])
    booster = lightgbm.train(settings, data, size.trees)
    forest = Forest(read_trees(booster.model_to_string(), _FEATURES))
    batch = figures[:_BATCH]
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(repeats):
        ours.append(_cpu_us(lambda: forest.logits(batch)))
        theirs.append(_cpu_us(lambda: booster.predict(batch, raw_score=True, num_threads=1)))
    return {"us_per_payment": round(min(ours), 2), "lightgbm_us_per_payment": round(min(theirs), 2)}


def _cpu_us(ask: Callable[[], object]) -> float:
    begun = time.process_time()
    ask()
    return (time.process_time() - begun) / _BATCH * 1e6
