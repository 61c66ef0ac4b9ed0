"""Honest life: what people pay for, what goes wrong with it, and how they change phones and payees."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random

from load_tests.city.chance import happens
from load_tests.city.event import Event
from load_tests.city.mint import Details, Mint
from load_tests.city.people import Resident
from pipeline.currencies import EXPONENTS
from schemas.timestamps import MS_PER_MINUTE, format_ms
from schemas.transaction import TransactionType

# Out of a hundred payments.
_USES: dict[TransactionType, float] = {
    "purchase": 87,
    "withdrawal": 4,
    "transfer": 5,
    "deposit": 2,
    "refund": 1,
    "fee": 0.7,
    "other": 0.3,
}
_KINDS = list(_USES)
_CUMULATIVE = list(accumulate(_USES.values()))
# A washing machine, a wedding, a flight for five: honest, and still out of the ordinary.
_SPLURGE = 0.003
_SPLURGE_TIMES = 30
_DECLINED = 0.015
_REVERSED = 0.008
_NEW_PHONE = 0.001
_NEW_PAYEE = 0.05


def minor(who: Resident, major: float) -> int:
    """Return what `major` units of home are worth where `who` lives, in minor units of that currency."""
    country = who.country
    return max(1, round(major / country.per_unit * 10.0 ** EXPONENTS[country.currency]))


def pay(rng: Random, mint: Mint, who: Resident, at_ms: int) -> Iterator[Event]:
    """Yield one ordinary payment and what follows from it, most of it at once and some of it hours later."""
    kind = rng.choices(_KINDS, cum_weights=_CUMULATIVE)[0]
    if kind == "purchase" or (kind == "transfer" and not who.payees):
        yield from _purchase(rng, mint, who, at_ms)
    elif kind == "transfer":
        yield from _transfer(rng, mint, who, at_ms)
    elif kind == "withdrawal":
        # Machines give notes.
        amount = minor(who, 20 * rng.choice((1, 1, 2, 2, 3, 4, 5, 10)))
        terminal = f"atm-{rng.randrange(80):03d}"
        yield mint.payment(
            rng, who, at_ms, kind, amount, card_token=who.card_token, terminal_id=terminal, authentication="pin"
        )
    else:
        major = rng.lognormvariate(3.4, 0.7) * (30 if kind == "deposit" else 1) * who.wealth
        yield mint.payment(rng, who, at_ms, kind, minor(who, major))


def _purchase(rng: Random, mint: Mint, who: Resident, at_ms: int) -> Iterator[Event]:
    kind, merchant_id = who.shops.visit(rng, who.country)
    usual = kind.median * who.wealth * rng.lognormvariate(0, kind.sigma)
    amount = minor(who, usual * (_SPLURGE_TIMES if happens(rng, _SPLURGE) else 1))
    fields: Details = {"card_token": who.card_token, "merchant_id": merchant_id, "mcc": kind.mcc}
    if not kind.online:
        fields |= {
            "channel": "card_present",
            "terminal_id": f"{merchant_id}-{rng.randrange(4)}",
            "location": who.home,
            "authentication": "pin",
        }
    elif who.phones:
        if happens(rng, _NEW_PHONE):
            phone = f"phone-{rng.getrandbits(48):012x}"
            who.phones.append(phone)
            yield mint.phone(who, at_ms - MS_PER_MINUTE, phone, arrival_ms=at_ms)
        fields |= {"channel": "app", "device_id": who.phones[-1], "authentication": "biometric"}
    else:
        fields |= {"channel": "web", "authentication": "otp"}
    if happens(rng, _DECLINED):
        yield mint.payment(rng, who, at_ms, "purchase", amount, status="declined", **fields)
        at_ms += rng.randrange(10_000, 60_000)
    paid = mint.payment(rng, who, at_ms, "purchase", amount, **fields)
    yield paid
    if happens(rng, _REVERSED):
        later_ms = at_ms + rng.randrange(1, 600) * MS_PER_MINUTE
        back = amount if happens(rng, 0.7) else max(1, amount // 3)
        yield mint.payment(
            rng,
            who,
            later_ms,
            "reversal",
            back,
            card_token=who.card_token,
            merchant_id=merchant_id,
            original_transaction_id=paid.transaction_id,
            original_occurred_at=format_ms(at_ms),
        )


def _transfer(rng: Random, mint: Mint, who: Resident, at_ms: int) -> Iterator[Event]:
    if happens(rng, _NEW_PAYEE):
        payee = f"payee-{rng.getrandbits(32):08x}"
        who.payees.append(payee)
        yield mint.payee(who, at_ms - 2 * MS_PER_MINUTE, payee, arrival_ms=at_ms - MS_PER_MINUTE)
        major = rng.lognormvariate(3.5, 0.5)
    else:
        payee = rng.choice(who.payees)
        major = rng.lognormvariate(4.2, 0.8)
    yield mint.payment(
        rng,
        who,
        at_ms,
        "transfer",
        minor(who, major * who.wealth),
        channel="app",
        payee_id=payee,
        device_id=who.phones[-1],
        authentication="biometric",
    )
