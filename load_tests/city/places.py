"""Where the city's people are and shop: countries and their currencies, kinds of shops and what is spent there."""

from itertools import accumulate
from random import Random
from typing import NamedTuple

from load_tests.city.chance import happens


class Country(NamedTuple):
    """`code` is ISO 3166; `per_unit` is the worth of one unit of its currency, roughly, in US dollars."""

    code: str
    currency: str
    per_unit: float
    lat: float
    lon: float


_HOME = Country("US", "USD", 1.0, 40.71, -74.01)
_ABROAD = (
    Country("DE", "EUR", 1.12, 52.52, 13.40),
    Country("GB", "GBP", 1.29, 51.51, -0.13),
    Country("CA", "CAD", 0.73, 43.65, -79.38),
    Country("MX", "MXN", 0.055, 19.43, -99.13),
    Country("JP", "JPY", 0.0067, 35.68, 139.69),
    Country("CH", "CHF", 1.18, 47.38, 8.54),
)


def countries(base_currency: str) -> tuple[Country, tuple[Country, ...]]:
    """Home, where people pay in the base currency, and abroad, with the currencies' worth in the base currency.

    Nobody is abroad when the base currency is not among those whose worth is known here.
    """
    home = _HOME._replace(currency=base_currency, per_unit=1.0)
    worth = {country.currency: country.per_unit for country in (_HOME, *_ABROAD)}
    if base_currency not in worth:
        return home, ()
    abroad = (country._replace(per_unit=country.per_unit / worth[base_currency]) for country in _ABROAD)
    return home, tuple(country for country in abroad if country.currency != base_currency)


class Kind(NamedTuple):
    """A kind of shop. A payment there is log-normal: half of them are above `median` (major units of home)."""

    name: str
    mcc: str
    share: float
    median: float
    sigma: float
    online: bool
    shops: int


KINDS = (
    Kind("groceries", "5411", 0.28, 34, 0.55, online=False, shops=60),
    Kind("restaurant", "5812", 0.18, 22, 0.6, online=False, shops=150),
    Kind("transport", "4111", 0.12, 6, 0.5, online=False, shops=12),
    Kind("fuel", "5541", 0.08, 42, 0.35, online=False, shops=30),
    Kind("pharmacy", "5912", 0.05, 18, 0.6, online=False, shops=25),
    Kind("clothing", "5651", 0.05, 58, 0.6, online=False, shops=60),
    Kind("online shop", "5969", 0.12, 39, 0.7, online=True, shops=40),
    Kind("subscription", "5968", 0.06, 13, 0.4, online=True, shops=15),
    Kind("electronics", "5732", 0.03, 120, 0.7, online=True, shops=12),
    Kind("travel", "4722", 0.03, 190, 0.7, online=True, shops=10),
)
_CUMULATIVE = list(accumulate(kind.share for kind in KINDS))


class Visit(NamedTuple):
    """One shop, chosen."""

    kind: Kind
    merchant_id: str


class Shops(NamedTuple):
    """Somebody's taste in shops: half of all visits go to the favourite of its kind, the rest to popular ones."""

    favourite: float

    def visit(self, rng: Random, country: Country) -> Visit:
        """Choose a shop of `country`."""
        kind = rng.choices(KINDS, cum_weights=_CUMULATIVE)[0]
        taste = self.favourite if happens(rng, 0.5) else rng.random() ** 2
        return Visit(kind, f"{country.code.lower()}-{kind.mcc}-{int(taste * kind.shops):03d}")
