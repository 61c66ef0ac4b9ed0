"""A customer's profile: looked at before a payment, taught by it afterwards, never the other way round.

It stands beside the windows in the customer's state, and learns in the order of arrival: what comes late is learned
late, at its own hour, and a reversal unlearns nothing.
"""

from mypy_extensions import mypyc_attr

from pipeline.behaviour.baseline import Baseline
from pipeline.behaviour.categories import Categories
from pipeline.behaviour.payment import comes_in, gives_back
from pipeline.behaviour.places import Places
from pipeline.behaviour.receipts import Receipts
from pipeline.behaviour.rhythm import HOURS, Rhythm
from pipeline.behaviour.spikes import Spikes
from schemas.timestamps import MS_PER_HOUR


@mypyc_attr(acyclic=True)
class Profile:
    """Everything kept of one customer's behaviour; each part is bounded. Amounts are minor units, times epoch ms."""

    __slots__ = ("baseline", "categories", "places", "receipts", "rhythm", "spikes")

    def __init__(self) -> None:
        """Nothing is known."""
        self.baseline = Baseline()
        self.spikes = Spikes()
        self.rhythm = Rhythm()
        self.categories = Categories()
        self.receipts = Receipts()
        self.places = Places()

    @property
    def since_ms(self) -> int:
        """When the first payment came, out or in; -1 before that."""
        first = [each for each in (self.rhythm.first_ms, self.receipts.received_ms) if each >= 0]
        return min(first, default=-1)

    def learn(self, at_ms: int, amount: int, kind: int, category: str, country: str) -> None:
        """Remember a payment of the type with index `kind`; see `category_of`.

        Money that comes in says since when the account receives, nothing about spending; money given back says nothing.
        """
        if comes_in(kind):
            self.receipts.receive(at_ms, amount)
            return
        if gives_back(kind):
            return
        baseline = self.baseline
        self.spikes.learn(at_ms, baseline.ratio(amount))
        baseline.learn(amount)
        self.rhythm.learn(at_ms, hour_of(at_ms))
        self.categories.learn(category, amount)
        self.receipts.learn(kind)
        if country:
            self.places.learn_country(country)


def hour_of(at_ms: int) -> int:
    """The hour of the day, UTC: habits are compared with themselves, so the zone does not matter."""
    return at_ms // MS_PER_HOUR % HOURS
