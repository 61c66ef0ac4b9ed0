"""Where a customer pays: the countries known, and where the latest payment that told its place was made."""

from typing import Final

from mypy_extensions import mypyc_attr

MOST: Final = 8
# Real ones are ISO 3166 codes of two letters; no name takes up more than this.
LONGEST: Final = 8


@mypyc_attr(acyclic=True)
class Country:
    """How many payments are known from it."""

    __slots__ = ("name", "payments")

    def __init__(self, name: str, payments: int) -> None:
        """Take what is known."""
        self.name = name
        self.payments = payments


@mypyc_attr(acyclic=True)
class Places:
    """Payments by country; the latest located payment: when (epoch ms, -1: none) and where, degrees WGS 84.

    Of more than `MOST` countries the one used least is forgotten.
    """

    __slots__ = ("_known", "_latest", "lat", "located_ms", "lon")

    def __init__(self) -> None:
        """Nowhere yet."""
        self._known: dict[str, Country] = {}
        # Nearly everybody's next payment comes from where the latest came from.
        self._latest: Country | None = None
        self.located_ms = -1
        self.lat = 0.0
        self.lon = 0.0

    @property
    def countries(self) -> dict[str, int]:
        """Payments by country, in the order of their first use."""
        return {country.name: country.payments for country in self._known.values()}

    @countries.setter
    def countries(self, countries: dict[str, int]) -> None:
        self._known = {name: Country(name, payments) for name, payments in countries.items()}
        self._latest = None

    def payments_in(self, country: str) -> int:
        """How many payments are known from this country."""
        known = self._known.get(country[:LONGEST])
        return 0 if known is None else known.payments

    def learn_country(self, country: str) -> None:
        """Count a payment in."""
        latest = self._latest
        if latest is None or latest.name != country:
            latest = self._latest = self._meet(country[:LONGEST])
        latest.payments += 1

    def _meet(self, name: str) -> Country:
        country = self._known.get(name)
        if country is None:
            if len(self._known) >= MOST:
                _, least = min([(each.payments, each.name) for each in self._known.values()])
                del self._known[least]
            country = self._known[name] = Country(name, 0)
        return country

    def locate(self, at_ms: int, lat: float, lon: float) -> None:
        """Note where a payment was made, unless a later one is known."""
        if at_ms >= self.located_ms:
            self.located_ms, self.lat, self.lon = at_ms, lat, lon
