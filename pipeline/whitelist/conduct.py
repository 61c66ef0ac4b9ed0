"""What the windows remember of how a customer pays, as far as a review of the customer asks for it."""

from typing import Final, NamedTuple

from pipeline.behaviour.weeks import Weeks, weeks_of
from pipeline.history import History
from pipeline.policy.model import Policy
from schemas.decision import OUTCOMES
from schemas.timestamps import MS_PER_DAY
from schemas.transaction import TRANSACTION_TYPES

PAYMENTS: Final = ("purchase", "transfer", "withdrawal")
MASK: Final = sum(1 << TRANSACTION_TYPES.index(name) for name in PAYMENTS)


class Conduct(NamedTuple):
    """`transactions_30d` counts payments, `amount_30d` sums them (base minor units).

    `alerted_ms` is when a rule last alerted, epoch ms, None if none is known; `paid_ms` when the last payment of all
    arrived. `weeks` compares the last weeks, None for nothing known.
    """

    transactions_30d: int = 0
    alerted_ms: int | None = None
    paid_ms: int | None = None
    weeks: Weeks | None = None
    amount_30d: int = 0

    @property
    def active_weeks(self) -> int:
        """In how many of the last four weeks something was paid."""
        return 0 if self.weeks is None else sum(count > 0 for count in self.weeks.counts)


NOTHING_KNOWN: Final = Conduct()


def conduct_of(history: History, policy: Policy, at_ms: int) -> Conduct:
    """What a customer's windows say at a moment."""
    amount, count = history.timeline(MASK).total(at_ms - 30 * MS_PER_DAY, at_ms)
    weeks = weeks_of(history, MASK, at_ms)
    return Conduct(count, _alerted_ms(history, policy), history.last_arrival_ms or None, weeks, amount)


def _alerted_ms(history: History, policy: Policy) -> int | None:
    if not history.cooling:
        return None
    alerting = {OUTCOMES.index(outcome) for outcome, action in policy.outcomes.items() if action.alert}
    return max([begun for begun, reached in history.cooling.values() if reached in alerting], default=None)
