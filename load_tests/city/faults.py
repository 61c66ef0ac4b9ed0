"""What goes wrong between a shop and us: records come twice, hours late, or broken."""

import json
from collections.abc import Iterator
from random import Random

from load_tests.city.chance import happens
from load_tests.city.event import Event
from load_tests.city.mint import Mint
from load_tests.city.people import Resident
from pipeline.policy.model import Policy
from schemas.reasons import DeadLetterReason
from schemas.timestamps import MS_PER_HOUR, MS_PER_MINUTE, format_ms

_TWICE = 0.003
_LATE = 0.002


def deliver(rng: Random, event: Event) -> Iterator[Event]:
    """Yield a record as it really arrives: now and then hours late, from a terminal that was offline, or twice."""
    if event.transaction_id and happens(rng, _LATE):
        event = event._replace(at_ms=event.at_ms + rng.randrange(10, 20 * 60) * MS_PER_MINUTE)
    yield event
    if event.transaction_id and happens(rng, _TWICE):
        yield event._replace(at_ms=event.at_ms + rng.randrange(1_000, 10 * MS_PER_MINUTE))


def broken(rng: Random, mint: Mint, who: Resident, at_ms: int, policy: Policy) -> Iterator[Event]:
    """Yield one record for each way in which processors get it wrong, a few minutes apart."""
    good = _purchase(rng, mint, who, at_ms)
    body = json.loads(good.value)
    without_currency = {name: value for name, value in body.items() if name != "currency"}
    future_ms = at_ms + policy.skew_ms + MS_PER_HOUR
    past_ms = at_ms - policy.lateness_ms - MS_PER_HOUR
    yield good
    for flaw, key, value in (
        (DeadLetterReason.CONFLICTING_DUPLICATE, good.key, _dump(body | {"amount": body["amount"] + 1})),
        (DeadLetterReason.EMPTY_VALUE, good.key, b""),
        (DeadLetterReason.NOT_UTF8, good.key, good.value[:-2] + b'\xff"}'),
        (DeadLetterReason.NOT_JSON, good.key, good.value[:-20]),
        (DeadLetterReason.MISSING_FIELD, good.key, _dump(without_currency)),
        (DeadLetterReason.WRONG_TYPE, good.key, _dump(body | {"amount": "12.00"})),
        (DeadLetterReason.NEGATIVE_AMOUNT, good.key, _dump(body | {"amount": -body["amount"]})),
        (DeadLetterReason.UNKNOWN_CURRENCY, good.key, _dump(body | {"currency": "QQQ"})),
        (DeadLetterReason.CARD_NUMBER, good.key, _dump(body | {"description": "paid with 4111 1111 1111 1111"})),
        (DeadLetterReason.KEY_MISMATCH, b"somebody-else", _dump(body)),
        (DeadLetterReason.EMPTY_KEY, None, _dump(body)),
        (DeadLetterReason.TOO_LATE, good.key, _dump(body | {"occurred_at": format_ms(past_ms)})),
        (DeadLetterReason.FROM_THE_FUTURE, good.key, _dump(body | {"occurred_at": format_ms(future_ms)})),
    ):
        at_ms += rng.randrange(MS_PER_MINUTE, 5 * MS_PER_MINUTE)
        bytes_of = (
            value
            if flaw is DeadLetterReason.CONFLICTING_DUPLICATE
            else value.replace(good.transaction_id.encode(), mint.next_id().encode())
        )
        yield Event(at_ms, good.topic, key, bytes_of, flaw=flaw)


def _purchase(rng: Random, mint: Mint, who: Resident, at_ms: int) -> Event:
    return mint.payment(rng, who, at_ms, "purchase", 1_999, card_token=who.card_token, merchant_id="offline-terminal")


def _dump(body: dict[str, object]) -> bytes:
    return json.dumps(body).encode()
