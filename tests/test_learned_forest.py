"""The trees asked by ourselves: what LightGBM says, to a thousandth of a logit, and no text makes us stumble."""

from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.learned.forest import PER_LOGIT, Forest, contributions
from pipeline.learned.text import MOST_BYTES, ModelTextError, read_trees

lightgbm: Any = pytest.importorskip("lightgbm")
FEATURES = 6


def payments(count: int, seed: int) -> npt.NDArray[np.float32]:
    chance = np.random.default_rng(seed)
    figures = chance.normal(0, 100, (count, FEATURES)).astype(np.float32)
    figures[:, 1] = chance.integers(-1, 50, count)
    figures[:, 2] = chance.integers(0, 4, count)
    return figures


def trained(leaves: int, trees: int = 30) -> str:
    figures = payments(2_000, leaves)
    fraud = (figures[:, 0] > 120) | (figures[:, 1] % 7 == 3) & (figures[:, 2] > 1)
    data = lightgbm.Dataset(np.abs(figures), fraud, categorical_feature=[1])
    settings = {"objective": "binary", "num_leaves": leaves, "verbose": -1, "num_threads": 1, "deterministic": True}
    text: str = lightgbm.train(settings, data, trees).model_to_string()
    return text


TEXTS = {leaves: trained(leaves) for leaves in (2, 8, 15, 31)}


@pytest.mark.parametrize("leaves", TEXTS)
def test_the_trees_say_what_lightgbm_says(leaves: int) -> None:
    figures = payments(1_300, 1)
    figures[:50, 0] = [0.0, -0.0, 1e30, -1e30, 120] * 10
    wanted = lightgbm.Booster(model_str=TEXTS[leaves]).predict(figures, raw_score=True)
    found = Forest(read_trees(TEXTS[leaves], FEATURES)).logits(figures)
    np.testing.assert_allclose(found / PER_LOGIT, wanted, atol=1e-3)


def test_rare_categories_are_as_lightgbm_has_them() -> None:
    figures = np.abs(payments(3_000, 4))
    figures[:, 1] = np.random.default_rng(5).geometric(0.01, len(figures))
    fraud = (figures[:, 1] % 5 == 2) | (figures[:, 0] > 200)
    data = lightgbm.Dataset(figures, fraud, categorical_feature=[1])
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 20)
    text = booster.model_to_string()
    assert "decision_type=9" in text or " 9 " in text
    found = Forest(read_trees(text, FEATURES)).logits(figures)
    np.testing.assert_allclose(found / PER_LOGIT, booster.predict(figures, raw_score=True), atol=1e-3)


@pytest.mark.parametrize("leaves", TEXTS)
def test_a_payment_has_one_score_in_every_batch(leaves: int) -> None:
    forest, figures = Forest(read_trees(TEXTS[leaves], FEATURES)), payments(700, 2)
    whole = forest.logits(figures).tolist()
    assert [forest.logits(figures[at : at + 1])[0] for at in range(0, 700, 37)] == whole[::37]
    order = list(range(700))
    Random(1).shuffle(order)
    assert forest.logits(figures[order]).tolist() == [whole[at] for at in order]
    assert forest.logits(figures[:0]).tolist() == []


@pytest.mark.parametrize("leaves", TEXTS)
def test_what_features_add_comes_to_the_logit(leaves: int) -> None:
    trees, figures = read_trees(TEXTS[leaves], FEATURES), payments(200, 3)
    for row, logit in zip(figures, Forest(trees).logits(figures), strict=True):
        base, of = contributions(trees, row.tolist())
        assert base + sum(of.values()) == logit


@pytest.mark.parametrize(
    "old,new,said",
    [
        ("num_class=1", "num_class=2", "num_class is '2'"),
        ("binary sigmoid:1", "regression", "only binary sigmoid:1 is known"),
        ("left_child=1", "left_child=0", "its branches are no tree at 0"),
        ("left_child=1", "left_child=99999999", "its branches are no tree at 99999999"),
        ("left_child=1", "left_child=-1", "some of it is never reached"),
        ("split_feature=", "split_feature=77 ", "of split_feature"),
        ("leaf_value=", "leaf_value=nan ", "of leaf_value"),
        ("num_leaves=8", "num_leaves=8000000", "8000000 leaves"),
        ("num_leaves=8", "num_leaves=8\nnum_leaves=8", "num_leaves stands twice"),
        ("is_linear=0", "is_linear=1", "its leaves are linear models"),
        ("decision_type=2", "decision_type=6", "a split of type 6"),
    ],
)
def test_a_text_that_does_not_fit_is_named(old: str, new: str, said: str) -> None:
    text = TEXTS[8]
    assert old in text
    with pytest.raises(ModelTextError, match=said):
        read_trees(text.replace(old, new), FEATURES)


def test_a_text_that_is_too_long_is_not_looked_at() -> None:
    with pytest.raises(ModelTextError, match="are the most"):
        read_trees("x" * (MOST_BYTES + 1), FEATURES)


@given(st.data())
def test_whatever_the_text_is_it_is_read_or_refused(data: st.DataObject) -> None:
    lines = TEXTS[2].split("\n")[:60]
    at = data.draw(st.integers(0, len(lines) - 1))
    name, equals, _ = lines[at].partition("=")
    number = st.sampled_from(["-1", "0", "1", "2", "3", "9" * 30, "1e999", "nan", "x", "", "0.5"])
    values = data.draw(st.lists(number, max_size=3))
    lines[at] = name + equals + " ".join(values)
    try:
        trees = read_trees("\n".join(lines), FEATURES)
    except ModelTextError:
        return
    assert len(Forest(trees).logits(payments(3, 1))) == 3
