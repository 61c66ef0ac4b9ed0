"""Where a customer pays: the countries known, and where the latest payment that told its place was made."""

from typing import Final

from mypy_extensions import mypyc_attr

MOST: Final = 8
# Real ones are ISO 3166 codes of two letters; no name takes up more than this.
_LONGEST: Final = 8


@mypyc_attr(acyclic=True)
class Places:
    """Payments by country; the latest located payment: when (epoch ms, -1: none) and where, degrees WGS 84.

    Of more than `MOST` countries the one used least is forgotten.
    """

    __slots__ = ("countries", "lat", "located_ms", "lon")

    def __init__(self) -> None:
        """Nowhere yet."""
        self.countries: dict[str, int] = {}
        self.located_ms = -1
        self.lat = 0.0
        self.lon = 0.0

    def payments_in(self, country: str) -> int:
        """How many payments are known from this country."""
        return self.countries.get(country[:_LONGEST], 0)

    def learn_country(self, country: str) -> None:
        """Count a payment in."""
        country = country[:_LONGEST]
        known = self.countries.get(country, 0)
        if not known and len(self.countries) >= MOST:
            _, least = min([(count, name) for name, count in self.countries.items()])
            del self.countries[least]
        self.countries[country] = known + 1

    def locate(self, at_ms: int, lat: float, lon: float) -> None:
        """Note where a payment was made, unless a later one is known."""
        if at_ms >= self.located_ms:
            self.located_ms, self.lat, self.lon = at_ms, lat, lon
