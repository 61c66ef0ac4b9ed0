"""An account as a labelled file tells of it: the live profile, and what the windows would remember beside it."""

from pipeline.behaviour import recent
from pipeline.behaviour.own import own_features
from pipeline.behaviour.payment import Payment
from pipeline.behaviour.profile import Profile
from pipeline.first_seen import FirstSeen
from pipeline.log import Entry, counted_of

MOST_PAYEES = 64


class Account:
    """Looked at before a payment, taught by it afterwards."""

    __slots__ = ("payees", "profile", "recent")

    def __init__(self) -> None:
        self.profile = Profile()
        self.payees = FirstSeen(MOST_PAYEES)
        self.recent: list[Entry] = []

    def look(self, payment: Payment) -> list[float]:
        """The features from `history` to `new_payees_24h`, of what was known before this payment."""
        _, at_ms, amount, kind, category, _, payee, _, _ = payment
        return own_features(self.profile, self.recent, self.payees, at_ms, amount, kind, category, payee)

    def learn(self, payment: Payment) -> None:
        """Remember a payment, or money received."""
        _, at_ms, amount, kind, category, _, payee, country, location = payment
        self.profile.learn(at_ms, amount, kind, category, country)
        if location:
            lat, lon = location
            self.profile.places.locate(at_ms, lat, lon)
        if payee:
            self.payees.see(payee, at_ms)
        self.recent.append(Entry(0, at_ms, counted_of(amount, kind, declined=False), ""))
        del self.recent[: -recent.MOST]
