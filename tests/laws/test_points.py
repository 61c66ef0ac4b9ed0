"""Laws of the points: they come from what is visible, stay whole and few, and say nothing where nothing is known."""

from typing import get_args

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.behaviour.features import FEATURES, INDEX
from pipeline.points.calibrate import Past, calibrate
from pipeline.points.memory import WINDOW_MS, recent_points
from pipeline.points.rule import RULES, Rule, Slicing
from pipeline.points.slicing import first_edges, join, share
from pipeline.points.table import case_code, case_values

counts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=30)


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    """Payments of four accounts, with amounts, ratios and hours that tell something or nothing."""
    size = draw(st.integers(1, 120))
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    features = np.zeros((size, len(FEATURES)), dtype=np.float32)
    for name, most in (("amount", 10_000), ("ratio", 6), ("hour", 24), ("spikes", 3), ("category", 3)):
        features[:, INDEX[name]] = chance.integers(0, most, size)
    at_ms = np.sort(chance.integers(0, 10**9, size))
    fraud = (features[:, INDEX["amount"]] > 8_000) | (chance.random(size) < 0.05)
    visible = chance.random(size) < draw(st.floats(0, 1))
    return Past(features, at_ms, chance.integers(0, 4, size).astype(np.int32), fraud.astype(np.int8), visible)


@given(pasts())
def test_points_are_a_function_of_visible_labels_only(past: Past) -> None:
    features = past.features.copy()
    points = calibrate(past)
    flipped = np.where(past.visible, past.fraud, 1 - past.fraud).astype(np.int8)
    assert calibrate(past._replace(fraud=flipped)) == points
    np.testing.assert_array_equal(past.features, features)


@given(pasts())
def test_without_visible_frauds_nothing_is_said(past: Past) -> None:
    points = calibrate(past._replace(fraud=np.zeros_like(past.fraud)))
    assert points.fitted == 0
    assert not points.of(past.features).any()


@given(counts)
def test_joining_slices_loses_no_payment(cells: list[tuple[int, int]]) -> None:
    frauds = np.array([fraud for fraud, _ in cells], dtype=np.float64)
    payments = frauds + np.array([genuine for _, genuine in cells])
    edges = np.arange(1, len(cells), dtype=np.float32)
    base = float((frauds.sum() + 1) / (payments.sum() + 2))
    joined, of, kept = join(frauds, payments, edges, base, 3.0)
    assert joined.sum() == frauds.sum()
    assert of.sum() == payments.sum()
    assert len(joined) == len(of) == len(kept) + 1
    assert set(kept) <= set(edges)


@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(1e-6, 0.5))
def test_one_more_fraud_never_lowers_a_share(frauds: int, genuine: int, base: float) -> None:
    of = np.array([frauds + genuine, frauds + genuine + 1], dtype=np.float64)
    less, more = share(np.array([frauds, frauds + 1], dtype=np.float64), of, base)
    assert 0 < less < more < 1


@given(st.lists(st.floats(-1, 1e6, width=32), max_size=60), st.sampled_from(get_args(Slicing)))
def test_edges_rise(figures: list[float], slicing: Slicing) -> None:
    edges = first_edges(np.array(figures, dtype=np.float32), slicing)
    assert (np.diff(edges) > 0).all()


@given(st.sampled_from(RULES), st.data())
def test_a_case_is_known_by_its_number(rule: Rule, data: st.DataObject) -> None:
    values = tuple(data.draw(st.integers(0, case.most)) for case in rule.cases)
    assert case_values(rule, case_code(rule, values)) == values


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2 * WINDOW_MS), st.integers(-50, 50)), max_size=40))
def test_recent_points_are_those_of_the_accounts_payments_before_it_in_the_window(
    told: list[tuple[int, int, int]],
) -> None:
    rows = sorted(told, key=lambda row: row[1])
    account, at_ms, score = (np.array([row[part] for row in rows], dtype=np.int64) for part in range(3))
    found = recent_points(account.astype(np.int32), at_ms, score.astype(np.int32))
    for index, (whose, when, _) in enumerate(rows):
        own = [max(points, 0) for one, at, points in rows[:index] if one == whose and at > when - WINDOW_MS]
        assert found[index] == sum(own)
