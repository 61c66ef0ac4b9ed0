"""What may happen to a few customers: drawn as steps that refer to each other, written as the records that arrive."""

import json
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any, Literal, NamedTuple

import yaml
from hypothesis import strategies as st

from pipeline.policy.load import default_yaml
from pipeline.policy.model import LIMIT_RULES, OTHER_RULES
from pipeline.record import InputRecord
from tests.laws.judging_memory import HOUR, stamp
from tests.laws.oracle import moment_of

DAY = 24 * HOUR
QUARTER = HOUR // 4
SKEW = HOUR // 12
CUSTOMERS = ("c-1", "c-2", "gold-1")
TYPES = ("purchase", "purchase", "purchase", "transfer", "withdrawal", "deposit", "refund", "fee", "other")
# Months end and clocks change: forth and back, in both zones.
ANCHORS = {
    "America/New_York": ("2026-03-08T07:00Z", "2026-11-01T05:30Z", "2026-06-30T23:00Z", "2026-12-31T22:00Z"),
    "Europe/Berlin": ("2026-03-29T01:00Z", "2026-10-25T00:30Z", "2026-10-31T22:00Z", "2026-08-10T12:00Z"),
}
_TIGHT: dict[str, tuple[float, float]] = {
    "amount_per_transaction": (3, 5),
    "amount_1h": (4, 8),
    "amount_24h": (6.5, 14),
    "amount_7d": (9, 20),
    "amount_30d": (12, 30),
    "amount_day": (6, 14),
    "amount_month": (12, 30),
    "count_1h": (2, 3),
    "count_24h": (3, 5),
    "count_7d": (5, 7),
    "count_30d": (7, 9),
    "count_day": (3, 5),
    "count_month": (7, 9),
    "new_payee_amount": (1, 2),
    "new_device_amount": (2, 2),
    "night_amount": (3.5, 6),
}
_FLAVOURS: dict[str, dict[str, dict[str, Any]]] = {
    "plain": {},
    # Limits that count different types, one in shadow, one off; short and no cool-downs.
    "masks": {
        "amount_24h": {"types": ["purchase", "deposit"]},
        "amount_7d": {"types": ["withdrawal", "fee", "refund"], "cool_down": "0s"},
        "count_7d": {"types": ["purchase", "transfer", "withdrawal", "deposit", "refund", "fee", "other"]},
        "night_amount": {"types": ["transfer"], "night_from": "23:15", "night_to": "05:30"},
        "count_1h": {"mode": "shadow"},
        "amount_month": {"mode": "off"},
        "count_day": {"types": ["other", "fee"], "cool_down": "90s"},
        "new_payee_amount": {"types": ["purchase", "deposit"], "new_for": "90s"},
    },
    # Points and floors decide apart; the clocks' change lies within the night.
    "mild": {
        "amount_1h": {"points": 29, "floor": "challenge", "cool_down": "1h"},
        "count_24h": {"points": 0, "floor": "review"},
        "amount_30d": {"points": 100, "floor": "challenge"},
        "count_1h": {"points": 20, "floor": "challenge", "mode": "shadow"},
        "night_amount": {"points": 31, "night_from": "02:30", "night_to": "03:00"},
    },
}


@cache
def policy_text(zone: str, flavour: str, *, patterns: bool = False) -> str:
    """Two tiers, with limits that a handful of payments breaks; `patterns` that the oracle cannot judge on demand."""
    policy = yaml.safe_load(default_yaml())
    policy["zone"] = zone
    if not patterns:
        policy["rules"] = {name: rule for name, rule in policy["rules"].items() if name in {*LIMIT_RULES, *OTHER_RULES}}
    policy["tiers"] = [tier for tier in policy["tiers"] if tier["name"] in {"base", "gold"}]
    served = {tier["service_channel"] for tier in policy["tiers"]}
    policy["cases"]["queues"] = {name: times for name, times in policy["cases"]["queues"].items() if name in served}
    for at, tier in enumerate(policy["tiers"]):
        tier["limits"] = {name: limits[at] for name, limits in _TIGHT.items()}
    for name, change in _FLAVOURS[flavour].items():
        policy["rules"][name].update(change)
    return yaml.safe_dump(policy)


policies = st.tuples(st.sampled_from(sorted(ANCHORS)), st.sampled_from(sorted(_FLAVOURS)))


Kind = Literal["pay", "again", "conflict", "reuse", "reverse", "event", "rate"]


class Step(NamedTuple):
    """`late` is arrival less moment; `ref` chooses an earlier payment it is about, `shift` moves it from there."""

    kind: Kind
    customer: str
    moment: int
    late: int
    amount: int
    type: str
    declined: bool
    currency: str
    payee: str
    device: str
    source: str
    ref: int
    shift: int


@st.composite
def steps(draw: st.DrawFn, anchor: int) -> list[Step]:
    """Most of them close together and of one customer, or nothing would add up."""
    near = (
        st.integers(-12, 8).map(lambda n: n * QUARTER),
        st.integers(-30, 30).map(lambda n: n * HOUR),
        st.integers(-35, 2).map(lambda n: n * DAY),
    )
    moments = st.builds(
        lambda step, more: anchor + step + more,
        st.one_of(*near[: draw(st.integers(1, 3))]),
        st.sampled_from((0, 0, 0, -1, 1, HOUR - 1)),
    )
    step = st.builds(
        Step,
        st.sampled_from(("pay",) * 12 + ("again", "conflict", "reuse", "reverse", "reverse", "event", "rate")),
        st.sampled_from(("c-1", "c-1", "c-1", "gold-1", "gold-1", "gold-1", "c-2")),
        moments,
        st.sampled_from((0, 0, 0, 1, QUARTER, HOUR, 5 * HOUR, DAY, DAY, DAY + 1, -SKEW, -SKEW - 1)),
        st.sampled_from((0, 1, 99, 100, 101, 200, 250, 300, 301, 350, 500, 501) * 3 + (10**13, 10**13 + 1)),
        st.sampled_from(TYPES),
        st.sampled_from((False, False, False, True)),
        st.sampled_from(("USD",) * 12 + ("EUR", "EUR", "JPY", "BHD", "CHF")),
        st.sampled_from(("", "p-1", "p-2")),
        st.sampled_from(("", "d-1", "d-2")),
        st.sampled_from(("acq", "acq", "acq", "other")),
        st.integers(0, 30),
        st.sampled_from((0, 0, 1, -1, -HOUR, HOUR, 5 * HOUR, 30 * HOUR, 2 * DAY, 2 * DAY + 1, 2 * DAY + HOUR)),
    )
    return draw(st.lists(step, min_size=draw(st.sampled_from((1, 12, 24))), max_size=36))


def busy(seed: int, count: int, days: float, lateness: Sequence[int]) -> list[Step]:
    """Many more than a person could make, about two customers: what happens at sizes that nobody draws by hand."""
    dice = Random(seed)
    anchor = moment_of(dice.choice(ANCHORS["America/New_York"]))
    kinds: Sequence[Kind] = ("pay",) * 16 + ("again", "reverse", "reverse", "conflict", "event")
    return [
        Step(
            dice.choice(kinds),
            dice.choice(("c-1",) * 9 + ("gold-1",)),
            anchor + dice.randrange(int(days * DAY)),
            dice.choice(lateness),
            dice.choice((0, 1, 99, 100, 200, 301)),
            dice.choice(TYPES),
            dice.random() < 0.1,  # declined
            dice.choice(("USD",) * 9 + ("EUR", "BHD")),
            dice.choice(("", "p-1", "p-2", f"p-{dice.randrange(100)}")),
            dice.choice(("", "d-1", f"d-{dice.randrange(50)}")),
            dice.choice(("acq",) * 9 + ("other",)),
            dice.randrange(count),
            dice.choice((0, 1, HOUR, 5 * HOUR, 30 * HOUR)),
        )
        for _ in range(count)
    ]


def rates(anchor: int) -> list[InputRecord]:
    """EUR has gaps, JPY rounds, BHD has three decimals; CHF has none."""
    day = anchor // DAY
    dated = [("EUR", day - 40, "1.1"), ("EUR", day - 20, "1.0945"), ("EUR", day - 1, "1.085"), ("EUR", day, "1.09")]
    dated += [("JPY", day - away, f"0.00{650 + away}5") for away in range(0, 40, 6)]
    dated += [("BHD", day - away, "2.6525") for away in range(0, 40, 7)]
    return [rate(currency, at * DAY, exact) for currency, at, exact in dated]


def rate(currency: str, moment: int, exact: str, number: int = 0) -> InputRecord:
    told = {"currency": currency, "date": stamp(moment)[:10], "rate": exact, "base_currency": "USD"}
    return InputRecord("rates", 0, number, 0, f"{currency}/{told['date']}".encode(), json.dumps(told).encode())


def records(drawn: Sequence[Step]) -> list[InputRecord]:
    """One for each step, in the order drawn: who sorts them decides how they arrive."""
    paid: list[tuple[Step, dict[str, Any]]] = []
    made = []
    for number, step in enumerate(drawn):
        made.append(_record(step, number, paid))
    return made


def _record(step: Step, number: int, paid: list[tuple[Step, dict[str, Any]]]) -> InputRecord:
    if step.kind == "rate":
        changed = rate("EUR", step.moment, f"1.{1000 + step.amount % 1000}", number)
        return changed._replace(timestamp=step.moment + step.late)
    if step.kind == "event":
        arrival = step.moment + max(step.late, 0)
        return InputRecord("customer-events", 0, number, arrival, step.customer.encode(), _event(step, number))
    earlier, body = paid[step.ref % len(paid)] if paid else (step, _payment(step, number))
    moment = step.moment
    if step.kind == "reverse":
        moment = earlier.moment + step.shift
        body = _reversal(step, number, moment, body)
    elif step.kind == "reuse" and paid:
        body = {**_payment(step, number), "customer_id": body["customer_id"], "transaction_id": body["transaction_id"]}
    elif step.kind in {"again", "conflict"} and paid:
        moment = earlier.moment
        # The same moment in another zone, and fields in another order, are the same content.
        body = dict(reversed(body.items())) | {"occurred_at": _in_another_zone(body["occurred_at"])}
        if step.kind == "conflict":
            moment += step.shift
            body |= {"occurred_at": stamp(moment)} if step.shift else {"amount": body["amount"] + 1}
    else:
        body = _payment(step, number)
        paid.append((step, body))
    topic = "transactions-priority" if step.ref % 4 == 0 else "transactions"
    key = body["customer_id"].encode()
    return InputRecord(topic, 0, number, moment + step.late, key, json.dumps(body).encode())


def _payment(step: Step, number: int) -> dict[str, Any]:
    body = {
        "transaction_id": f"t-{number}",
        "source": step.source,
        "customer_id": step.customer,
        "occurred_at": stamp(step.moment),
        "amount": step.amount,
        "currency": step.currency,
        "transaction_type": step.type,
        "status": "declined" if step.declined else "authorised",
        "payee_id": step.payee,
        "device_id": step.device,
        "description": f"drawn as {number}",
    }
    return {name: value for name, value in body.items() if value != ""}


def _reversal(step: Step, number: int, moment: int, original: dict[str, Any]) -> dict[str, Any]:
    """Mostly in the currency of its original; now and then of something nobody knows, or of a reversal."""
    return {
        **_payment(step, number),
        "customer_id": original["customer_id"],
        "source": original["source"],
        "occurred_at": stamp(moment),
        "currency": step.currency if step.ref % 5 == 0 else original["currency"],
        "transaction_type": "reversal",
        "status": "declined" if step.declined and step.ref % 3 == 0 else "authorised",
        "original_transaction_id": f"t-{step.ref}" if step.ref % 7 == 0 else original["transaction_id"],
        "original_occurred_at": original["occurred_at"],
    }


def _event(step: Step, number: int) -> bytes:
    event = {
        "event_id": f"e-{number}",
        "customer_id": step.customer,
        "occurred_at": stamp(step.moment + min(step.shift, 0)),
        "actor": "core",
    }
    if step.device:
        event |= {"event_type": "device.registered", "device_id": step.device}
    elif step.payee:
        event |= {"event_type": "payee.added", "payee_id": step.payee}
    else:
        event |= {"event_type": "account.frozen"}
    return json.dumps(event).encode()


def _in_another_zone(text: str) -> str:
    return stamp(moment_of(text) + 2 * HOUR).replace("Z", "+02:00")
