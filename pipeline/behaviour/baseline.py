"""What a customer usually pays: a mean that no outlier can raise, so that one fraud does not excuse the next."""

from math import sqrt
from typing import Final

from mypy_extensions import mypyc_attr

# A payment beyond this many times the usual is a spike, and counts no further towards what is usual.
SPIKE: Final = 2.5
# Fewer payments tell nothing about what is usual.
LEAST: Final = 3
# So many payments weigh alike; beyond that, the older ones fade.
_MOST: Final = 200
# Nobody pays the very same amount for ever: the deviation is at least this part of the mean.
_LEAST_DEVIATION: Final = 0.1


@mypyc_attr(acyclic=True)
class Baseline:
    """Winsorised mean and variance of amounts, minor units; `count` payments have been seen."""

    __slots__ = ("count", "mean", "variance")

    def __init__(self, count: int = 0, mean: float = 0.0, variance: float = 0.0) -> None:
        """Go on from what is known."""
        self.count = count
        self.mean = mean
        self.variance = variance

    def ratio(self, amount: int) -> float:
        """How many times the usual amount this is; 0 while nothing is usual yet."""
        return amount / self.mean if self.count >= LEAST and self.mean > 0 else 0.0

    def z(self, amount: int) -> float:
        """How many deviations above the mean this is, below it negative; 0 while nothing is usual yet."""
        if self.count < LEAST or self.mean <= 0:
            return 0.0
        return (amount - self.mean) / max(sqrt(self.variance), _LEAST_DEVIATION * self.mean)

    def learn(self, amount: int) -> None:
        """Count a payment in, an outlier at the size of a spike at most."""
        count = self.count = self.count + 1
        mean = self.mean
        worth = float(amount)
        if count > LEAST and worth > SPIKE * mean:
            worth = SPIKE * mean
        weight = 1.0 / (min(_MOST, count))
        off = worth - mean
        mean = self.mean = mean + off * weight
        self.variance += (off * (worth - mean) - self.variance) * weight
