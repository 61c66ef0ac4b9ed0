"""Who lives in the city: for each resident a home, hours, means, cards, devices, payees and a tier."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from load_tests.city.chance import happens
from load_tests.city.places import Country, Shops, countries
from pipeline.policy.model import Policy, Tier
from schemas.transaction import Location

# Share of residents by the rank of their tier; what a policy has beyond five tiers shares the last weight.
_TIER_SHARES = (0.70, 0.15, 0.09, 0.045, 0.015)
# The better the tier, the more its people spend and the more often they pay.
_WEALTH_BY_RANK = (1.0, 1.25, 1.6, 2.2, 3.5)
_MEAN_PAYMENTS_PER_DAY = 4.0
_BUSIEST = 18.0
_ABROAD = 0.02
_ONLINE = 0.6
_BUSINESSES = 0.08


def _hours(weights: str) -> tuple[float, ...]:
    """Shares of a day by hour, from one digit for each hour."""
    digits = [int(digit) for digit in weights]
    return tuple(digit / sum(digits) for digit in digits)


# When people pay, by local hour from midnight.
_RHYTHMS = (
    _hours("000001344334665434555310"),  # early risers
    _hours("000000113345776556788531"),  # office hours
    _hours("210000001234555556678887"),  # night owls
    _hours("000000012466645566543100"),  # at home during the day
)
# Monday to Sunday.
_WEEKS = (
    (0.9, 0.9, 0.95, 1.0, 1.2, 1.25, 0.8),  # private people
    (1.2, 1.2, 1.2, 1.2, 1.15, 0.6, 0.45),  # small businesses
)


@dataclass(slots=True)
class Resident:
    """One customer. `wealth` multiplies what is usually spent; `phones` and `payees` are those known so far."""

    customer_id: str
    tier: Tier
    wealth: float
    payments_per_day: float
    rhythm: tuple[float, ...]
    week: tuple[float, ...]
    card_token: str
    account_id: str
    home: Location
    country: Country
    shops: Shops
    phones: list[str] = field(default_factory=list)
    payees: list[str] = field(default_factory=list)

    def payments_in(self, weekday: int, hour: int) -> float:
        """How many payments this hour of this weekday (0 is Monday) sees on average."""
        return self.payments_per_day * self.week[weekday] * self.rhythm[hour]


def residents(rng: Random, policy: Policy, *, hours: Sequence[tuple[int, int]], payments: float) -> list[Resident]:
    """As many people as make `payments` on average in those hours, each a weekday (0 is Monday) and an hour of it."""
    tiers = policy.tiers
    shares = [_TIER_SHARES[min(tier.rank, len(_TIER_SHARES) - 1)] for tier in tiers]
    cumulative = list(accumulate(shares))
    home, abroad = countries(policy.base_currency)
    people: list[Resident] = []
    expected = 0.0
    while expected < payments or not people:
        tier = rng.choices(tiers, cum_weights=cumulative)[0]
        away = abroad and happens(rng, _ABROAD)
        person = _resident(rng, tier, f"cust-{len(people):05d}", rng.choice(abroad) if away else home)
        people.append(person)
        expected += sum(person.payments_in(weekday, hour) for weekday, hour in hours)
    return people


def newcomer(rng: Random, policy: Policy, customer_id: str) -> Resident:
    """Somebody at the base tier who lives where the policy's currency is paid."""
    return _resident(rng, policy.tiers[0], customer_id, countries(policy.base_currency)[0])


def _resident(rng: Random, tier: Tier, customer_id: str, country: Country) -> Resident:
    wealth = _WEALTH_BY_RANK[min(tier.rank, len(_WEALTH_BY_RANK) - 1)]
    # Few pay very often and most seldom: a log-normal with its mean where it belongs.
    busy = _MEAN_PAYMENTS_PER_DAY * wealth**0.5 * rng.lognormvariate(-0.32, 0.8)
    number = rng.getrandbits(48)
    person = Resident(
        customer_id=customer_id,
        tier=tier,
        wealth=wealth * rng.lognormvariate(0, 0.25),
        payments_per_day=min(busy, _BUSIEST * wealth),
        rhythm=rng.choice(_RHYTHMS),
        week=_WEEKS[happens(rng, _BUSINESSES)],
        card_token=f"tok-{number:012x}",
        account_id=f"acc-{number:012x}",
        home=Location(lat=round(country.lat + rng.gauss(0, 0.08), 4), lon=round(country.lon + rng.gauss(0, 0.08), 4)),
        country=country,
        shops=Shops(favourite=rng.random()),
    )
    if happens(rng, _ONLINE):
        person.phones.append(f"phone-{number:012x}")
        person.payees.extend(f"payee-{rng.getrandbits(32):08x}" for _ in range(rng.choice((1, 1, 2, 3))))
    return person
