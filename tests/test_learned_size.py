"""The size of the trees is chosen within what is known: by what helps there, from few frauds not at all."""

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("lightgbm")

from pipeline.learned.choose import DEFAULT, choose

PARAMETERS = {"objective": "binary", "seed": 1, "num_threads": 1, "verbose": -1, "deterministic": True}
PAYMENTS = 6_000

Figures = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int8]


@pytest.fixture(scope="module")
def figures() -> Figures:
    return np.random.default_rng(1).random((PAYMENTS, 4), dtype=np.float32)


def told(fraud: npt.NDArray[np.bool_]) -> Labels:
    return fraud.astype(np.int8)


def test_where_there_is_nothing_to_learn_trees_are_few_and_where_there_is_they_are_more(figures: Figures) -> None:
    chance = told(np.random.default_rng(2).random(PAYMENTS) < 0.05)
    whole = told((figures[:, 0] > 0.8) & (figures[:, 1] * figures[:, 2] < 0.3))
    none, much = choose(figures, chance, PARAMETERS, []), choose(figures, whole, PARAMETERS, [])
    assert none.trees * none.leaves < 100 < much.trees * much.leaves


def test_few_frauds_choose_nothing(figures: Figures) -> None:
    fraud = told(np.arange(PAYMENTS) % 300 == 0)
    assert choose(figures, fraud, PARAMETERS, []) == DEFAULT


def test_frauds_that_thin_out_still_choose(figures: Figures) -> None:
    fraud = told((figures[:, 0] > 0.9) & (np.arange(PAYMENTS) < PAYMENTS // 2))
    assert choose(figures, fraud, PARAMETERS, []) != DEFAULT
