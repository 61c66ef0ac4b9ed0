"""Timelines and buckets say what a brute-force recomputation of all history says."""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.buckets import Buckets
from pipeline.calendar import QUARTER_MS, Calendar, Window
from pipeline.timeline import Breach, Timeline
from tests.laws.oracle import Entry, GivenBack, Night, Oracle, moment_of

HOUR = 3_600_000
KEPT_SINGLY = 73 * HOUR
LATENESS = 24 * HOUR
WINDOWS: tuple[str | Night, ...] = ("1h", "24h", "7d", "30d", "day", "month", Night(23 * 60, 5 * 60))
ANCHORS = (
    ("Europe/Berlin", "2026-03-29T01:00Z"),
    ("Europe/Berlin", "2026-10-31T22:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00Z"),
    ("Asia/Kathmandu", "2026-04-30T18:15Z"),
    ("Pacific/Apia", "2011-12-30T10:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
    ("UTC", "2026-07-01T00:00Z"),
)
_calendars = {zone: Calendar(zone) for zone, _ in ANCHORS}


class Payment(NamedTuple):
    """`lateness_ms` shuffles: payments arrive in the order of time plus lateness. `type` chooses its buckets."""

    time: int
    lateness_ms: int
    type: int
    amount: int


class Customer:
    """Folds as a customer does, into timelines of every build, all of which must agree."""

    def __init__(self, builds: Sequence[tuple[int, int]]) -> None:
        self.builds = builds
        self.buckets = [Buckets(), Buckets()]
        self.timelines = [Timeline(self.buckets, index_from, chunk) for index_from, chunk in builds]
        self.folded_to = -(10**15)
        # Amounts are what is left; what was given back, as it was called for.
        self.singles: dict[int, tuple[int, int, int]] = {}
        self.given_back: list[tuple[int, int, int, int]] = []

    def add(self, payment: Payment, ref: int) -> None:
        if payment.time <= self.folded_to:
            self.buckets[payment.type].add(payment.time, payment.amount)
            for timeline in self.timelines:
                timeline.add_folded(payment.time, payment.amount)
            return
        for timeline in self.timelines:
            timeline.add(payment.time, payment.amount, ref)
        self.singles[ref] = payment.time, payment.amount, payment.type

    def give_back(self, ref: int, amount: int, since: int) -> None:
        time, left, kind = self.singles[ref]
        for timeline in self.timelines:
            timeline.give_back(time, ref, amount, since)
        self.singles[ref] = time, left - amount, kind
        self.given_back.append((time, ref, amount, since))

    def fold(self, until: int) -> None:
        if until <= self.folded_to:
            return
        self.folded_to = until
        for ref, (time, amount, kind) in list(self.singles.items()):
            if time <= until:
                self.buckets[kind].add(time, amount)
                del self.singles[ref]
        for buckets in self.buckets:
            buckets.drop(until - 31 * 24 * HOUR)
        for timeline in self.timelines:
            timeline.forget(until)
            timeline.drop(until - 31 * 24 * HOUR)

    def forget_and_read_again(self) -> None:
        """Build all anew from what is kept of it, as for a customer who comes back into memory."""
        self.buckets = [Buckets.from_bytes(buckets.to_bytes()) for buckets in self.buckets]
        self.timelines = [Timeline(self.buckets, index_from, chunk) for index_from, chunk in self.builds]
        left = {ref: amount for ref, (_, amount, _) in self.singles.items()}
        given_back = [each for each in self.given_back if each[1] in left]
        for _, ref, amount, _ in given_back:
            left[ref] += amount
        for timeline in self.timelines:
            for ref, (time, _, _) in self.singles.items():
                timeline.add(time, left[ref], ref)
            for time, ref, amount, since in given_back:
                timeline.give_back(time, ref, amount, since)


def window_of(zone: str, window: str | Night) -> Window:
    return _calendars[zone].night(*window) if isinstance(window, Night) else _calendars[zone].window(window)


def times_near(anchor: int) -> st.SearchStrategy[int]:
    steps = st.one_of(
        st.integers(-8, 8).map(lambda n: n * QUARTER_MS),
        st.integers(-30, 30).map(lambda n: n * HOUR),
        st.integers(-35, 35).map(lambda n: n * 24 * HOUR),
    )
    return st.builds(
        lambda step, more: anchor + step + more, steps, st.sampled_from((0, 0, 0, -1, 1, 60_000, HOUR - 1))
    )


AMOUNTS = st.sampled_from((0, 0, 1, 100, 100, 250, 9_999))  # 0: declined, or really nothing


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[Payment]]:
    zone, anchor = draw(st.sampled_from(ANCHORS))
    lateness = st.sampled_from((0, 0, 0, 1, HOUR, LATENESS))
    payment = st.builds(Payment, times_near(moment_of(anchor)), lateness, st.integers(0, 1), AMOUNTS)
    payments = draw(st.lists(payment, min_size=1, max_size=24))
    return zone, sorted(payments, key=lambda payment: payment.time + payment.lateness_ms)


def floor(time: int) -> int:
    return time // QUARTER_MS * QUARTER_MS


@settings(max_examples=100, deadline=None)
@given(histories(), st.data())
def test_windows_equal_the_oracle(history: tuple[str, list[Payment]], data: st.DataObject) -> None:
    zone, payments = history
    oracle = Oracle(zone)
    customer = Customer([(1_000, 256), (0, 2), (3, 2), (5, 16)])
    newest = -(10**15)
    for ref, payment in enumerate(payments):
        t = payment.time
        newest = max(newest, t)
        customer.fold(newest - KEPT_SINGLY)
        if data.draw(st.integers(0, 7)) == 7:
            customer.forget_and_read_again()
        for window in WINDOWS:
            limit = data.draw(st.sampled_from((0, 1, 2, 3, 100, 200, 350, 10_000, 10_199)))
            for counted in (False, True):
                expected = oracle.first_breach(window, t, Decimal(payment.amount), Decimal(limit), counted=counted)
                breach = None if expected is None else Breach(expected[0], int(expected[1]))
                for timeline in customer.timelines:
                    assert timeline.first_breach(window_of(zone, window), t, payment.amount, limit, counted) == breach
        customer.add(payment, ref)
        oracle.entries.append(Entry(t, Decimal(payment.amount), ref))
        original, left = data.draw(st.sampled_from([(single, held[1]) for single, held in customer.singles.items()]))
        if left and data.draw(st.booleans()):
            amount = data.draw(st.sampled_from((left, 1, left // 2)))
            time = customer.singles[original][0]
            since = min(max(time, t + data.draw(st.sampled_from((-HOUR, 0, 1, HOUR)))), newest + 300_000)
            customer.give_back(original, amount, since)
            oracle.given_back.append(GivenBack(original, Decimal(amount), since))
        for window in WINDOWS:
            assert_same_window(customer, oracle, window, t)


def assert_same_window(customer: Customer, oracle: Oracle, window: str | Night, t: int) -> None:
    start = oracle.start(window, t)
    if start is None:
        return
    inside = oracle.within(window, t)
    singles = [entry for entry in inside if entry.moment > customer.folded_to]
    amount, count = oracle.total(window, t)
    for timeline in customer.timelines:
        assert timeline.total(start, t) == (int(amount), count)
        entries, held, first, last, refs = timeline.evidence(start, t, 3)
        assert (held, entries) == (int(amount), count)
        assert refs == tuple(entry.ref for entry in singles[-3:])
        if singles:
            assert last == singles[-1].moment
            assert first == (inside[0].moment if inside[0].moment > customer.folded_to else floor(inside[0].moment))
        elif not inside:
            assert (first, last) == (None, None)
        else:
            assert (first, last) == (floor(inside[0].moment), floor(inside[-1].moment))


@pytest.mark.parametrize("spread_ms", [24 * HOUR, QUARTER_MS, 3])
def test_the_index_agrees_with_the_lists_on_a_busy_customer(spread_ms: int) -> None:
    dice = random.Random(spread_ms)
    noon = moment_of("2026-03-29T12:00Z")
    customer = Customer([(10_000, 256), (0, 4), (50, 32)])
    windows = [window_of("Europe/Berlin", window) for window in WINDOWS]
    for ref in range(450):
        old = ref % 5 == 4  # until the first of them are folded
        t = noon + dice.randrange(spread_ms) - (99 * HOUR if old and ref < 300 else 0)
        amount = dice.choice((0, 10, 10, 500))
        for window in dice.sample(windows, 2):
            # Limits close to what a later window holds: there a wrong answer shows.
            later = t + dice.randrange(spread_ms)
            held = customer.timelines[0].total(window.start(later) or later, later)
            for counted in (False, True):
                limit = held[counted] + dice.choice((-10, -1, 0, 0, 0, 1, 10))
                breaches = {timeline.first_breach(window, t, amount, limit, counted) for timeline in customer.timelines}
                assert len(breaches) == 1
            start = window.start(t)
            if start is not None:
                assert len({timeline.evidence(start, t, 10) for timeline in customer.timelines}) == 1
        customer.add(Payment(t, 0, 0, amount), ref)
        if dice.random() < 0.2:
            original = dice.choice(list(customer.singles))
            time, left, _ = customer.singles[original]
            customer.give_back(original, dice.choice((left, left // 3)), time + dice.randrange(2 * spread_ms))
        if ref in {300, 400}:
            customer.fold(noon - (78 - ref // 100) * HOUR)
        if ref == 350:
            customer.add(Payment(noon - 100 * HOUR, 0, 0, 70), ref)
            customer.forget_and_read_again()


def test_what_is_given_back_needs_an_entry() -> None:
    for index_from in (0, 100):
        timeline = Timeline([], index_from)
        timeline.add(1_000, 5, 1)
        for time, ref in ((1_000, 2), (999, 1)):
            with pytest.raises(KeyError):
                timeline.give_back(time, ref, 5, 1_000)
        assert timeline.total(0, 1_000) == (5, 1)
