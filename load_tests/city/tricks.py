"""What fraudsters try, one function for each trick. They know the limits of the tier they abuse, as insiders would."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from load_tests.city.chance import happens
from load_tests.city.event import Event
from load_tests.city.mint import Details, Mint
from load_tests.city.people import Resident
from schemas.timestamps import MS_PER_MINUTE
from schemas.transaction import Status

# What a fraudster who meets no such limit dares.
_DARING = 500_000

Plot = Callable[[Random, Mint, Resident, int], Iterator[Event]]


class Trick(NamedTuple):
    """A trick by its field's name, and the local hours in which it is tried, from and to."""

    name: str
    plot: Plot
    from_hour: int
    to_hour: int


def _limit(victim: Resident, rule: str) -> int:
    return victim.tier.limits.get(rule, _DARING)


def _card_testing(rng: Random, mint: Mint, victim: Resident, at_ms: int) -> Iterator[Event]:
    """Stolen card data is tried with tiny payments, many of them declined; what works is then used for a large one."""
    card = victim.card_token
    donations: Details = {
        "card_token": card,
        "merchant_id": f"donations-{rng.randrange(20):02d}",
        "mcc": "8398",
        "channel": "web",
    }
    for _ in range(rng.randrange(14, 30)):
        status: Status = "declined" if happens(rng, 0.4) else "authorised"
        yield mint.payment(rng, victim, at_ms, "purchase", rng.randrange(50, 300), status=status, **donations)
        at_ms += rng.randrange(4_000, 25_000)
    electronics: Details = {"card_token": card, "merchant_id": "us-5732-900", "mcc": "5732", "channel": "web"}
    at_ms += rng.randrange(5, 20) * MS_PER_MINUTE
    for _ in range(rng.choice((1, 2))):
        amount = int(_limit(victim, "amount_per_transaction") * rng.uniform(0.6, 0.95))
        yield mint.payment(rng, victim, at_ms, "purchase", amount, **electronics)
        at_ms += rng.randrange(60_000, 300_000)


def _account_takeover(rng: Random, mint: Mint, victim: Resident, at_ms: int) -> Iterator[Event]:
    """A new phone, a new payee, and at once as much as goes through in one transfer, until it stops working."""
    phone, payee = f"phone-{rng.getrandbits(48):012x}", f"payee-{rng.getrandbits(32):08x}"
    yield mint.phone(victim, at_ms, phone)
    at_ms += rng.randrange(2, 8) * MS_PER_MINUTE
    yield mint.payee(victim, at_ms, payee)
    for _ in range(rng.choice((1, 2, 3))):
        at_ms += rng.randrange(1, 9) * MS_PER_MINUTE
        amount = int(_limit(victim, "amount_per_transaction") * rng.uniform(0.55, 0.98))
        yield mint.payment(
            rng, victim, at_ms, "transfer", amount, channel="app", payee_id=payee, device_id=phone, authentication="otp"
        )


def _structuring(rng: Random, mint: Mint, victim: Resident, at_ms: int) -> Iterator[Event]:
    """Each transfer stays just under the limit for one; together they pass that of the day."""
    single, daily = _limit(victim, "amount_per_transaction"), _limit(victim, "amount_24h")
    payees = victim.payees or [f"payee-{rng.getrandbits(32):08x}"]
    moved = 0
    while moved <= daily:
        amount = int(single * rng.uniform(0.9, 0.995))
        yield mint.payment(
            rng, victim, at_ms, "transfer", amount, channel="web", payee_id=rng.choice(payees), authentication="otp"
        )
        moved += amount
        at_ms += rng.randrange(12, 50) * MS_PER_MINUTE


def _velocity_burst(rng: Random, mint: Mint, victim: Resident, at_ms: int) -> Iterator[Event]:
    """A stolen card is spent shop after shop before it is blocked."""
    for _ in range(rng.randrange(18, 40)):
        yield mint.payment(
            rng,
            victim,
            at_ms,
            "purchase",
            int(rng.lognormvariate(8.8, 0.6)),
            card_token=victim.card_token,
            merchant_id=f"us-5651-{rng.randrange(60):03d}",
            mcc="5651",
            channel="card_present",
            authentication="none",
        )
        at_ms += rng.randrange(20_000, 150_000)


def _night_cash_out(rng: Random, mint: Mint, victim: Resident, at_ms: int) -> Iterator[Event]:
    """While its owner sleeps, a copied card empties one cash machine after the other."""
    wanted, taken = int(_limit(victim, "night_amount") * rng.uniform(1.2, 2.8)), 0
    each = max(20_000, wanted // rng.randrange(6, 12))
    while taken < wanted:
        terminal = f"atm-{rng.randrange(80):03d}"
        yield mint.payment(
            rng,
            victim,
            at_ms,
            "withdrawal",
            each,
            card_token=victim.card_token,
            terminal_id=terminal,
            authentication="pin",
        )
        taken += each
        at_ms += rng.randrange(90_000, 600_000)


def _mule_pass_through(rng: Random, mint: Mint, victim: Resident, at_ms: int) -> Iterator[Event]:
    """Stolen money comes in and is gone within hours, to payees that nobody paid before."""
    received = int(_limit(victim, "amount_24h") * rng.uniform(0.7, 1.5))
    yield mint.payment(rng, victim, at_ms, "deposit", received, channel="transfer")
    parts = rng.randrange(4, 8)
    for _ in range(parts):
        payee = f"payee-{rng.getrandbits(32):08x}"
        at_ms += rng.randrange(4, 20) * MS_PER_MINUTE
        yield mint.payee(victim, at_ms, payee)
        at_ms += rng.randrange(40_000, 120_000)
        amount = int(received * 0.95) // parts
        yield mint.payment(rng, victim, at_ms, "transfer", amount, channel="app", payee_id=payee, authentication="otp")


TRICKS = (
    Trick("card_testing", _card_testing, 8, 23),
    Trick("account_takeover", _account_takeover, 7, 23),
    Trick("structuring", _structuring, 8, 16),
    Trick("velocity_burst", _velocity_burst, 10, 21),
    Trick("night_cash_out", _night_cash_out, 1, 4),
    Trick("mule_pass_through", _mule_pass_through, 9, 20),
)
