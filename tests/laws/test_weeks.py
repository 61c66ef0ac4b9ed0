"""A customer's weeks: read from the windows as whoever has the payments counts them, and compared by plain rules."""

import json
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from pipeline.behaviour.weeks import WEEK_MS, Weeks, departures, weeks_of
from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.profile_shift import ProfileShift
from pipeline.rates import Rates
from pipeline.record import InputRecord
from pipeline.whitelist.conduct import MASK, PAYMENTS
from schemas.timestamps import MS_PER_HOUR, MS_PER_MINUTE, format_ms, parse_ms

POLICY = load_policy(default_yaml())
START = parse_ms("2026-03-02T00:00:00Z")
QUARTER_MS = 15 * MS_PER_MINUTE
LIMITS = {"amount_7d": 10_000, "count_7d": 100}
TERMS = ProfileShift(weeks=3, above_pct=300, limit_pct=10, new_payees=3, new_devices=2)


class Paid(NamedTuple):
    """One payment, so many minutes after the one before."""

    minutes: int
    amount: int
    kind: str
    payee: int
    device: int
    declined: bool


paid = st.builds(
    Paid,
    st.sampled_from((1, 14, 15, 60, 24 * 60, 3 * 24 * 60)) | st.integers(1, 2 * 24 * 60),
    st.integers(0, 5_000),
    st.sampled_from(("purchase", "transfer", "withdrawal", "deposit", "fee")),
    st.integers(0, 6),
    st.integers(0, 3),
    st.booleans(),
)


def told(payments: list[Paid]) -> tuple[Partition, list[tuple[int, Paid]]]:
    """A partition that has judged the payments, each arriving as it occurs; and when that was."""
    nothing: dict[bytes, bytes] = {}
    partition = Partition(0, None, Books(PolicyBook(POLICY), Rates()), nothing.get, nothing.get)
    at_ms, known, records = START, [], []
    for number, one in enumerate(payments):
        at_ms += one.minutes * MS_PER_MINUTE
        known.append((at_ms, one))
        fields = {
            "transaction_id": f"t-{number}",
            "source": "s",
            "customer_id": "c-1",
            "occurred_at": format_ms(at_ms),
            "amount": one.amount,
            "currency": POLICY.base_currency,
            "transaction_type": one.kind,
            "payee_id": f"p-{one.payee}",
            "device_id": f"d-{one.device}",
            "status": "declined" if one.declined else "authorised",
        }
        records.append(InputRecord("transactions", 0, number, at_ms, b"c-1", json.dumps(fields).encode()))
    partition.take(records)
    return partition, known


def counted(known: list[tuple[int, Paid]], until_ms: int) -> Weeks:
    """The same, counted one by one."""
    weeks = [(until_ms - (week + 1) * WEEK_MS, until_ms - week * WEEK_MS) for week in range(4)]
    firsts: dict[str, int] = {}
    for at_ms, one in known:
        for name in () if one.declined else (f"p-{one.payee}", f"d-{one.device}"):
            firsts.setdefault(name, at_ms)

    def of(begin: int, end: int) -> list[Paid]:
        return [one for at_ms, one in known if begin <= at_ms < end and one.kind in PAYMENTS]

    def new(letter: str) -> tuple[int, ...]:
        moments = [at_ms for name, at_ms in firsts.items() if name.startswith(letter)]
        return tuple(sum(begin <= at_ms < end for at_ms in moments) for begin, end in weeks)

    return Weeks(
        until_ms,
        tuple(sum(one.amount for one in of(*week) if not one.declined) for week in weeks),
        tuple(len(of(*week)) for week in weeks),
        new("p"),
        new("d"),
    )


@given(st.lists(paid, max_size=60), st.integers(0, 9 * 24))
def test_weeks_are_what_whoever_has_the_payments_counts(payments: list[Paid], hours: int) -> None:
    partition, known = told(payments)
    at_ms = (known[-1][0] if known else START) + hours * MS_PER_HOUR
    history = partition.customers.get(b"c-1").history
    weeks = weeks_of(history, MASK, at_ms)
    assert weeks == counted(known, at_ms // QUARTER_MS * QUARTER_MS)
    assert weeks == weeks_of(history, MASK, at_ms)


figures = st.lists(st.integers(0, 400), min_size=4, max_size=4).map(tuple)
some_weeks = st.builds(Weeks, st.just(START), figures, figures, figures, figures)
terms = st.builds(
    ProfileShift,
    weeks=st.integers(1, 3),
    above_pct=st.integers(100, 500),
    limit_pct=st.integers(0, 100),
    new_payees=st.integers(0, 9),
    new_devices=st.integers(0, 9),
)


def measures(weeks: Weeks, asked: ProfileShift) -> set[str]:
    return {one.measure for one in departures(weeks, asked, LIMITS)}


@given(some_weeks, terms)
def test_nothing_is_said_of_whom_too_few_weeks_are_known(weeks: Weeks, asked: ProfileShift) -> None:
    known = sum(count > 0 for count in weeks.counts[1:])
    assert known >= asked.weeks or not measures(weeks, asked)


@given(some_weeks, terms, st.integers(0, 3), st.integers(0, 500))
def test_more_in_the_week_never_says_less_and_more_before_it_never_more(
    weeks: Weeks, asked: ProfileShift, week: int, more: int
) -> None:
    names: tuple[str, ...] = ("amounts", "new_payees", "new_devices")
    # Payments in a week that had none make a profile of what was none.
    names += ("counts",) if week == 0 or weeks.counts[week] else ()
    for name in names:
        grown: list[int] = list(getattr(weeks, name))
        grown[week] += more
        changed: dict[str, Any] = {name: tuple(grown)}
        before, after = measures(weeks, asked), measures(weeks._replace(**changed), asked)
        assert before <= after if week == 0 else after <= before


@given(some_weeks, terms)
def test_what_is_said_stands_on_the_figures_it_shows(weeks: Weeks, asked: ProfileShift) -> None:
    shown = {"amount_7d": weeks.amounts, "count_7d": weeks.counts}
    shown |= {"new_payees_7d": weeks.new_payees, "new_devices_7d": weeks.new_devices}
    for one in departures(weeks, asked, LIMITS):
        assert (one.observed, *one.earlier) == shown[one.measure]
        assert one.observed > one.limit >= max(one.earlier) * asked.above_pct // 100
        assert parse_ms(one.until) == weeks.until_ms


def test_a_customer_who_knows_more_payees_than_are_remembered_has_no_new_ones() -> None:
    payments = [Paid(60, 100, "transfer", number, 0, declined=False) for number in range(80)]
    partition, known = told(payments)
    weeks = weeks_of(partition.customers.get(b"c-1").history, MASK, known[-1][0] + MS_PER_HOUR)
    assert (weeks.counts[0], weeks.new_payees, weeks.new_devices[0]) == (80, (0, 0, 0, 0), 1)
