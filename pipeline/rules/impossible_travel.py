"""Impossible travel: two payments so far apart in so short a time that nobody can have made both.

Compared with the latest payment whose place was told. The distance is that of a flat map at the latitude between the
two, which is right to a few per cent away from the poles.

False alarms: terminals that tell the place of their head office, cards that two people use. `speed_kmh` well above that
of an aeroplane, and `distance_km`, keep most of them out.

Example: a purchase in Lisbon, and forty minutes later one in Warsaw.
"""

from math import sqrt
from typing import Final

from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.timestamps import MS_PER_HOUR

_KM_PER_DEGREE: Final = 111.195
# Half of a degree, in radians: of the sum of two latitudes it makes the one between them.
_HALF_RADIAN: Final = 0.008726646259971648
# At one and the same moment the speed has no bound; what is told does.
_FASTEST: Final = 1_000_000


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when the way from the latest place known is `distance_km` or more, and asks for `speed_kmh` or more."""
    here, places = sight.intake.location, sight.history.profile.places
    if here is None or places.located_ms < 0:
        return
    km = distance_km(places.lat, places.lon, here.lat, here.lon)
    took_ms = abs(sight.intake.occurred_ms - places.located_ms)
    if km >= rule.distance_km and km * MS_PER_HOUR >= rule.speed_kmh * took_ms:
        speed = int(km * MS_PER_HOUR / max(took_ms, 1))
        findings.append(found(rule, min(speed, _FASTEST), rule.speed_kmh, []))


def distance_km(from_lat: float, from_lon: float, to_lat: float, to_lon: float) -> float:
    """How far two places are apart, degrees WGS 84. Sums and roots only: they are the same on every machine."""
    east = abs(to_lon - from_lon)
    east = min(east, 360.0 - east)
    north = to_lat - from_lat
    angle = (from_lat + to_lat) * _HALF_RADIAN
    squared = angle * angle
    # The cosine up to the eighth power: no worse than 0.00003 between the poles.
    cosine = 1 - squared / 2 * (1 - squared / 12 * (1 - squared / 30 * (1 - squared / 56)))
    return _KM_PER_DEGREE * sqrt(north * north + (east * cosine) * (east * cosine))


def _say(signal: Signal, _money: Money) -> str:
    return (
        f"To have made this payment and the one before it, the customer would have travelled at {signal.observed} km/h."
    )


PATTERN: Final = Pattern(
    "Two payments so far apart that nobody can have made both.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "distance_km": Field(Integer(1, 20_000), "How far apart the two must be, at least."),
        "speed_kmh": Field(Integer(1, 100_000), "How fast the way would have had to be made, at least."),
    },
    find,
    _say,
)
