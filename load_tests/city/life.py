"""The city's days: everybody's payments, the fraudsters' tries and all that goes wrong, in the order of arrival."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from math import sqrt
from operator import attrgetter
from random import Random

from load_tests.city.approvers import Approvers
from load_tests.city.chance import poisson
from load_tests.city.event import Event, Truth
from load_tests.city.faults import broken, deliver
from load_tests.city.habits import pay
from load_tests.city.lives import lives
from load_tests.city.mint import Mint
from load_tests.city.opening import grants, known_phones_and_payees, rates
from load_tests.city.people import residents
from load_tests.city.tricks import TRICKS, Trick
from pipeline.policy.model import Policy
from pipeline.zones import load_zone
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE

# One try of each trick, and one of each broken record, for so many payments.
_PAYMENTS_PER_TRY = 10_000
_OPENING_MS = 10 * MS_PER_MINUTE
_arrival = attrgetter("at_ms")


class City:
    """A city of the policy's time zone, with enough people for about `transactions` a day, and no fewer on the first.

    The same arguments make the same events, byte for byte. Times are epoch milliseconds.
    """

    def __init__(self, policy: Policy, approvers: Approvers, *, seed: int, start_ms: int, transactions: int) -> None:
        self.policy = policy
        self._approvers = approvers
        self._start_ms = start_ms
        self._zone = load_zone(policy.zone)
        self._rng = Random(f"{seed}/{start_ms}")
        self._mint = Mint(seed, start_ms)
        self._seed = seed
        # What the lives told in full bring on the first day.
        self._today: list[Event] = []
        self._tries = max(1, round(transactions / _PAYMENTS_PER_TRY))
        self._episodes = 0
        # Chance makes a day smaller than expected, seldom by four standard deviations.
        wanted = transactions * 1.02 + 4 * sqrt(transactions)
        day = [self._local(hour_ms) for hour_ms in range(start_ms, start_ms + MS_PER_DAY, MS_PER_HOUR)]
        hours = [(local.weekday(), local.hour) for local in day]
        self.residents = residents(Random(seed), policy, hours=hours, payments=wanted)

    def rates(self) -> Iterator[Event]:
        """Yield the exchange rates of the days before: a worker should know them before anybody pays."""
        yield from rates(self.policy, self._rng, self._start_ms - _OPENING_MS, days=2)

    def past(self) -> Iterator[Event]:
        """Yield what came of some customers' lives on the whitelist before the first day, which goes on with them.

        It is months old: for topics that keep the times of their records.
        """
        rng = Random(f"{self._seed}/lives")
        told = lives(rng, self._mint, self._approvers, self.policy, self._start_ms, self._tries)
        events = sorted(told, key=_arrival)
        before = bisect_left(events, self._start_ms - _OPENING_MS, key=_arrival)
        self._today = events[before:]
        yield from events[:before]

    def opening(self) -> Iterator[Event]:
        """Yield what is known of customers before the first day: phones, payees, and the grants that make the tiers."""
        at_ms = self._start_ms - _OPENING_MS
        for who in self.residents:
            yield from known_phones_and_payees(self._rng, self._mint, who, at_ms)
        yield from grants(self._rng, self._mint, self.residents, self._approvers, at_ms)

    def days(self, end_ms: int) -> Iterator[Event]:
        """Yield what happens from the start to `end_ms` in the order of arrival; what would arrive later never does."""
        pending, self._today = self._today, []
        plots: list[tuple[int, Trick | None]] = []
        for hour_ms in range(self._start_ms, end_ms, MS_PER_HOUR):
            if (hour_ms - self._start_ms) % MS_PER_DAY == 0:
                plots = self._plan(hour_ms)
                pending.extend(rates(self.policy, self._rng, hour_ms, days=1))
            new = [*self._honest(hour_ms)]
            for at_ms, trick in plots:
                if hour_ms <= at_ms < hour_ms + MS_PER_HOUR:
                    new.extend(self._try(trick, at_ms))
            # What comes just before a payment may belong to the hour that has been told already.
            pending += [event if event.at_ms >= hour_ms else event._replace(at_ms=hour_ms) for event in new]
            pending.sort(key=_arrival)
            arrived = bisect_left(pending, min(hour_ms + MS_PER_HOUR, end_ms), key=_arrival)
            yield from pending[:arrived]
            del pending[:arrived]

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self._zone)

    def _honest(self, hour_ms: int) -> Iterator[Event]:
        rng, local = self._rng, self._local(hour_ms)
        weekday, hour = local.weekday(), local.hour
        for who in self.residents:
            count = poisson(rng, who.payments_in(weekday, hour))
            if count:
                for offset_ms in sorted(rng.randrange(MS_PER_HOUR) for _ in range(count)):
                    for event in pay(rng, self._mint, who, hour_ms + offset_ms):
                        yield from deliver(rng, event)

    def _plan(self, day_ms: int) -> list[tuple[int, Trick | None]]:
        """When the next 24 hours see a try of each trick; None stands for a processor that gets everything wrong."""
        local = self._local(day_ms)
        passed_ms = (local.hour * 60 + local.minute) * MS_PER_MINUTE
        plots: list[tuple[int, Trick | None]] = []
        for _ in range(self._tries):
            plots.append((day_ms + self._rng.randrange(MS_PER_DAY // 2), None))
            for trick in TRICKS:
                local_ms = self._rng.randrange(trick.from_hour * MS_PER_HOUR, trick.to_hour * MS_PER_HOUR)
                plots.append((day_ms + (local_ms - passed_ms) % MS_PER_DAY, trick))
        return plots

    def _try(self, trick: Trick | None, at_ms: int) -> Iterator[Event]:
        rng, base_currency = self._rng, self.policy.base_currency
        victim = rng.choice(self.residents)
        while victim.country.currency != base_currency:
            victim = rng.choice(self.residents)
        if trick is None:
            yield from broken(rng, self._mint, victim, at_ms, self.policy)
            return
        self._episodes += 1
        truth = Truth(trick.name, self._episodes)
        for event in trick.plot(rng, self._mint, victim, at_ms):
            yield event._replace(truth=truth if event.transaction_id else None)
