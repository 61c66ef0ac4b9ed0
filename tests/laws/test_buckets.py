"""Buckets hold what was put in, in whatever order, in few bytes; what is no bucket is refused."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.buckets import Buckets, BucketsError, merge
from pipeline.calendar import QUARTER_MS
from tests.laws.oracle import moment_of

bucketed = st.lists(st.tuples(st.integers(-10, 300), st.sampled_from((0, 1, 127, 128, 7_000, 10**12))), max_size=40)
JULY = moment_of("2026-07-01T00:00Z")


def filled(entries: Sequence[tuple[int, int]]) -> Buckets:
    buckets = Buckets()
    for quarter, amount in entries:
        buckets.add(JULY + quarter * QUARTER_MS + amount % 1_000, amount)
    return buckets


@settings(max_examples=200, deadline=None)
@given(bucketed, st.randoms(use_true_random=False), st.integers(-20, 310))
def test_buckets_do_not_remember_the_path(entries: list[tuple[int, int]], shuffler: random.Random, before: int) -> None:
    buckets = filled(entries)
    shuffled = list(entries)
    shuffler.shuffle(shuffled)
    half = Buckets.from_bytes(filled(shuffled[: len(shuffled) // 2]).to_bytes())
    for quarter, amount in shuffled[len(shuffled) // 2 :]:
        half.add(JULY + quarter * QUARTER_MS, amount)
    assert half.to_bytes() == buckets.to_bytes() == Buckets.from_bytes(buckets.to_bytes()).to_bytes()
    kept = [entry for entry in entries if entry[0] >= before]
    for each in (buckets, half, Buckets.from_bytes(buckets.to_bytes())):
        each.drop(JULY + before * QUARTER_MS + 5)
        assert each.to_bytes() == filled(kept).to_bytes()
        assert len(each) == len({quarter for quarter, _ in kept})
        # And it goes on as if nothing had happened.
        more = [(max(kept)[0] if kept else 0, 1), (305, 1), (305, 1), (304, 1), (306, 1)]
        for quarter, amount in more:
            each.add(JULY + quarter * QUARTER_MS, amount)
        assert each.to_bytes() == filled([*kept, *more]).to_bytes()


@settings(max_examples=200, deadline=None)
@given(bucketed, bucketed)
def test_buckets_tell_what_is_in_them(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    starts = sorted({JULY + quarter * QUARTER_MS for quarter, _ in (*some, *others)})
    inside = [[amount for quarter, amount in (*some, *others) if JULY + quarter * QUARTER_MS == at] for at in starts]
    expected = (starts, [sum(amounts) for amounts in inside], [len(amounts) for amounts in inside])
    assert merge([filled(some), Buckets(), filled(others)]) == expected
    assert filled([*some, *others]).columns() == expected


@settings(max_examples=100, deadline=None)
@given(bucketed.filter(len), st.data())
def test_buckets_cut_short_are_refused(entries: list[tuple[int, int]], data: st.DataObject) -> None:
    encoded = filled(entries).to_bytes()
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    try:
        fewer = Buckets.from_bytes(cut)
    except BucketsError:
        return
    assert fewer.to_bytes() == cut
    assert len(fewer) < len(filled(entries))


def test_a_quarter_hour_for_the_second_time_is_refused() -> None:
    encoded = filled([(0, 7)]).to_bytes()
    with pytest.raises(BucketsError, match="two buckets for one quarter-hour"):
        Buckets.from_bytes(encoded + b"\x00\x07")


def test_a_month_of_one_payment_now_and_then_is_small() -> None:
    dice = random.Random(1)
    at = 0
    entries = []
    while at < 30 * 96:
        at += dice.randint(1, 72)
        entries.append((at, dice.randint(1_000, 13_000)))
    buckets = filled(entries)
    assert len(buckets.to_bytes()) <= 3.3 * len(buckets)
