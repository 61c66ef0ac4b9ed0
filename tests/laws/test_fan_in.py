"""Fan-in against a plain count: it fires where enough deposits came in, and nowhere else."""

import json
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.record import InputRecord
from schemas.timestamps import MS_PER_HOUR, format_ms
from tests.laws.judging_bench import Bench
from tests.laws.test_patterns import POLICY

BEGAN = 1_800_000_000_000
# By the policy of the stories: 4 of at least 50.00 within 24 hours.
COUNT, LEAST_MINOR, WITHIN_MS = 4, 5_000, 24 * MS_PER_HOUR


class Told(NamedTuple):
    at_ms: int
    amount: int
    kind: str
    status: str


told = st.lists(
    st.builds(
        Told,
        st.integers(0, 60).map(lambda hour: BEGAN + hour * MS_PER_HOUR),
        st.sampled_from((LEAST_MINOR - 1, LEAST_MINOR, 9_000)),
        st.sampled_from(("deposit", "deposit", "deposit", "refund", "purchase")),
        st.sampled_from(("authorised", "authorised", "authorised", "declined")),
    ),
    max_size=25,
).map(lambda each: sorted(each, key=lambda one: one.at_ms))


def record(number: int, one: Told) -> InputRecord:
    value = {
        "transaction_id": f"t-{number}",
        "source": "p",
        "customer_id": "c-1",
        "occurred_at": format_ms(one.at_ms),
        "amount": one.amount,
        "currency": "USD",
        "transaction_type": one.kind,
        "status": one.status,
    }
    return InputRecord("transactions", 0, number, one.at_ms, b"c-1", json.dumps(value).encode())


def came_in(one: Told) -> bool:
    return one.kind == "deposit" and one.status == "authorised" and one.amount >= LEAST_MINOR


@settings(max_examples=40)
@given(told)
def test_it_fires_where_so_many_deposits_came_in_and_nowhere_else(payments: list[Told]) -> None:
    messages = Bench(POLICY, {}).take([record(number, one) for number, one in enumerate(payments)])
    decisions = [json.loads(each.value or b"") for each in messages if each.topic == "decisions"]
    observed = [
        next((signal["observed"] for signal in each["signals"] if signal["rule"] == "fan_in"), None)
        for each in decisions
    ]
    wanted = []
    for number, one in enumerate(payments):
        within = [each for each in payments[: number + 1] if came_in(each) and each.at_ms > one.at_ms - WITHIN_MS]
        wanted.append(len(within) if came_in(one) and len(within) >= COUNT else None)
    assert observed == wanted
