"""A customer's profile: looked at before a payment, taught by it afterwards, never the other way round."""

from pipeline.behaviour.baseline import Baseline
from pipeline.behaviour.categories import Categories
from pipeline.behaviour.first_seen import FirstSeen
from pipeline.behaviour.payment import Payment
from pipeline.behaviour.rhythm import HOURS, Rhythm
from pipeline.behaviour.spikes import Spikes
from schemas.timestamps import MS_PER_HOUR


class Profile:
    """Everything kept of one customer's behaviour; each part is bounded."""

    __slots__ = ("baseline", "categories", "first_seen", "rhythm", "spikes")

    def __init__(self) -> None:
        self.baseline = Baseline()
        self.spikes = Spikes()
        self.rhythm = Rhythm()
        self.categories = Categories()
        self.first_seen = FirstSeen()

    def look(self, payment: Payment) -> tuple[float, ...]:
        """The features from `history` to `new_payees_24h`, of what was known before this payment; `period` is 0."""
        amount, at_ms = payment.amount, payment.at_ms
        baseline = self.baseline
        hour = hour_of(at_ms)
        count_1h, count_24h, sum_24h, since_last, share = self.rhythm.look(at_ms, hour)
        return (
            float(baseline.count),
            baseline.mean,
            baseline.ratio(amount),
            baseline.z(amount),
            *self.spikes.look(at_ms),
            count_1h,
            count_24h,
            sum_24h,
            since_last,
            float(hour),
            share,
            0.0,
            *self.categories.look(payment.category, amount),
            *self.first_seen.look(at_ms, amount, payment.kind, payment.payee),
        )

    @property
    def since_ms(self) -> int:
        """When the first payment came, out or in; -1 before that."""
        first = [each for each in (self.rhythm.first_ms, self.first_seen.received_ms) if each >= 0]
        return min(first, default=-1)

    def learn(self, payment: Payment) -> None:
        """Remember a payment. Money that comes in says since when the account receives, nothing about spending."""
        amount, at_ms = payment.amount, payment.at_ms
        if payment.comes_in:
            self.first_seen.receive(at_ms, amount)
            return
        self.spikes.learn(at_ms, self.baseline.ratio(amount))
        self.baseline.learn(amount)
        self.rhythm.learn(at_ms, hour_of(at_ms), amount)
        self.categories.learn(payment.category, amount)
        self.first_seen.learn(at_ms, payment.kind, payment.payee)


def hour_of(at_ms: int) -> int:
    """The hour of the day, UTC: habits are compared with themselves, so the zone does not matter."""
    return at_ms // MS_PER_HOUR % HOURS
