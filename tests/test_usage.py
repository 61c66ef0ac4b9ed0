"""What is used of each limit is what the windows hold, and frees itself when the oldest entry leaves them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import default_yaml, load_policy
from pipeline.rates import Rates
from pipeline.record import InputRecord
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, format_ms, parse_ms

POLICY = load_policy(default_yaml())
NOON = parse_ms("2026-03-10T12:00:00Z")
PER_WINDOW = {"1h": MS_PER_HOUR, "24h": MS_PER_DAY}


def partition() -> Partition:
    return Partition(0, None, Books(PolicyBook(POLICY), Rates()), lambda _: None, lambda _: None)


def payment(number: int, at_ms: int, amount: int, status: str = "authorised") -> InputRecord:
    fields = {
        "transaction_id": f"t-{number}",
        "source": "bank",
        "customer_id": "c-1",
        "occurred_at": format_ms(at_ms),
        "amount": amount,
        "currency": "USD",
        "transaction_type": "purchase",
        "status": status,
    }
    return InputRecord("transactions", 0, number, at_ms, b"c-1", json.dumps(fields).encode(), ())


payments = st.lists(
    st.tuples(st.integers(0, 3 * 24 * 60), st.integers(1, 9_000), st.sampled_from(("authorised", "declined"))),
    min_size=1,
    max_size=30,
)


@given(payments)
def test_it_is_the_sum_and_the_count_of_each_window_as_of_the_last_payment(made: list[tuple[int, int, str]]) -> None:
    made = sorted(made)
    house = partition()
    house.take(
        [payment(at, NOON + minute * MS_PER_MINUTE, amount, status) for at, (minute, amount, status) in enumerate(made)]
    )
    usage = house.usage(b"c-1")
    last_ms = NOON + made[-1][0] * MS_PER_MINUTE
    assert usage.as_of == format_ms(last_ms)
    for name, length_ms in PER_WINDOW.items():
        inside = [one for one in made if NOON + one[0] * MS_PER_MINUTE > last_ms - length_ms]
        assert usage.used[f"count_{name}"].used == len(inside)
        assert usage.used[f"amount_{name}"].used == sum(amount for _, amount, status in inside if status != "declined")
        frees_at = format_ms(NOON + inside[0][0] * MS_PER_MINUTE + length_ms)
        assert {usage.used[f"{kind}_{name}"].frees_at for kind in ("count", "amount")} == {frees_at}


def test_nothing_paid_is_nothing_used_and_asking_changes_nothing() -> None:
    house = partition()
    assert house.usage(b"c-1").used == {}
    house.take([payment(1, NOON, 500)])
    first = house.changes().windows
    before = house.usage(b"c-1")
    assert house.usage(b"c-1") == before
    assert house.changes().windows == {}
    assert first
    assert "amount_per_transaction" not in before.used
