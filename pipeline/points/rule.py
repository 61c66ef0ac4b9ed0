"""The rules that are scored by points: each looks at one figure, apart for a few cases."""

from collections.abc import Collection
from typing import Final, Literal, NamedTuple

from pipeline.behaviour.features import MEMORY, PERIOD

# Where a figure is cut before neighbours that tell the same are joined: at tail quantiles of the unlabelled past, at
# equal shares of it, at every whole number, or at 0 and from 1/16 on at each doubling.
Slicing = Literal["tails", "shares", "whole", "doubling"]


class Case(NamedTuple):
    """What is told apart: a feature, in whole numbers up to `most`, beyond which all are alike."""

    feature: str
    most: int


class Rule(NamedTuple):
    """A rule: the figure it slices, the cases it keeps apart, and how it slices."""

    name: str
    figure: str
    cases: tuple[Case, ...]
    slicing: Slicing
    # Neighbouring slices are joined that differ by less than this log-likelihood: at 3, one in a hundred pairs that
    # tell the same would differ by more.
    telling: float = 3.0

    def without(self, features: Collection[str]) -> "Rule | None":
        """The rule when nobody knows these features; None when nothing is left of it."""
        if self.figure in features:
            return None
        return self._replace(cases=tuple([case for case in self.cases if case.feature not in features]))


_CATEGORY: Final = Case("category", 31)
_PERIOD: Final = Case(PERIOD, 7)

# The day falls into periods of alike risk, which other rules keep apart.
HOUR: Final = Rule("hour", "hour", (), "whole", telling=10.0)
RULES: Final = (
    Rule("amount", "amount", (_CATEGORY, _PERIOD, Case("unseen_payee", 1)), "tails"),
    Rule("spike", "ratio", (Case("spikes", 3),), "tails"),
    Rule("place-streak", "streak_days", (Case("streak", 3),), "shares"),
    Rule("burst", "count_24h", (), "whole"),
    Rule("own-category", "category_ratio", (), "tails"),
    Rule("first-out", "hours_since_receiving", (_CATEGORY, Case("earlier_of_kind", 1)), "doubling"),
    Rule("new-payee", "payee_age_hours", (_CATEGORY, Case("new_payees_24h", 2)), "doubling"),
)
# What the other rules said of the customer's payments of the last 48 hours.
RECENT_POINTS: Final = Rule("recent-points", MEMORY, (_PERIOD,), "tails")
