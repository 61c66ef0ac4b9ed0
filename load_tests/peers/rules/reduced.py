"""The work that every engine does for a payment: the reduced rules. All Python engines run this file, compiled.

Six rules over what a customer did in the last 24 hours, held exactly; two that fire make an alert. Peer.java does the
same for Kafka Streams.
"""

from typing import Final

import msgspec

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
LARGEST: Final = 400_000
LARGEST_HOUR: Final = 600_000
LARGEST_DAY: Final = 6_000_000
MOST_A_DAY: Final = 30
ENOUGH: Final = 2
_WEIGHT: Final = 0.05
_KNOWN: Final = 10


class Payment(msgspec.Struct, gc=False):
    """What the rules need of a payment; the JSON has more."""

    transaction_id: str
    customer_id: str
    amount: int
    event_time: int
    device_id: str


_PAYMENT = msgspec.json.Decoder(Payment)
_STATE = msgspec.msgpack.Decoder(tuple[list[int], list[int], list[str], list[str], float, float, int])
_ENCODER = msgspec.msgpack.Encoder()
_JSON = msgspec.json.Encoder()


class Customer:
    """A customer's last 24 hours, devices, and moving average."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.amounts: list[int] = []
        self.ids: list[str] = []
        self.devices: list[str] = []
        self.mean: float = 0.0
        self.variance: float = 0.0
        self.count: int = 0


def decode(value: bytes | None) -> Customer:
    """Return a customer from its bytes; None: a new one."""
    customer = Customer()
    if value is not None:
        (
            customer.times,
            customer.amounts,
            customer.ids,
            customer.devices,
            customer.mean,
            customer.variance,
            customer.count,
        ) = _STATE.decode(value)
    return customer


def encode(customer: Customer) -> bytes:
    """Return a customer as bytes."""
    return _ENCODER.encode(
        (
            customer.times,
            customer.amounts,
            customer.ids,
            customer.devices,
            customer.mean,
            customer.variance,
            customer.count,
        )
    )


def judge(value: bytes, customer: Customer) -> bytes | None:
    """Take a payment into the customer's state; return the alert, or None."""
    payment = _PAYMENT.decode(value)
    transaction_id: str = payment.transaction_id
    if transaction_id in customer.ids:
        return None
    at_ms: int = payment.event_time
    amount: int = payment.amount
    _forget(customer, at_ms - DAY_MS)
    customer.times.append(at_ms)
    customer.amounts.append(amount)
    customer.ids.append(transaction_id)
    hits = _velocity(customer, amount, at_ms - HOUR_MS)
    device: str = payment.device_id
    if device not in customer.devices:
        hits += bool(customer.devices)
        customer.devices.append(device)
    hits += _unusual(customer, amount)
    if hits < ENOUGH:
        return None
    return _JSON.encode({"transaction_id": transaction_id, "tier": "base", "hits": hits, "amount": amount})


def _forget(customer: Customer, until_ms: int) -> None:
    times = customer.times
    gone = 0
    while gone < len(times) and times[gone] <= until_ms:
        gone += 1
    if gone:
        del times[:gone], customer.amounts[:gone], customer.ids[:gone]


def _velocity(customer: Customer, amount: int, hour_ms: int) -> int:
    times, amounts = customer.times, customer.amounts
    day = 0
    for each in amounts:
        day += each
    hour = 0
    place = len(times) - 1
    while place >= 0 and times[place] > hour_ms:
        hour += amounts[place]
        place -= 1
    return (amount > LARGEST) + (day > LARGEST_DAY) + (len(times) > MOST_A_DAY) + (hour > LARGEST_HOUR)


def _unusual(customer: Customer, amount: int) -> bool:
    customer.count += 1
    away: float = amount - customer.mean
    customer.mean += _WEIGHT * away
    customer.variance = (1 - _WEIGHT) * (customer.variance + _WEIGHT * away * away)
    return customer.count > _KNOWN and away * away > 9 * customer.variance
