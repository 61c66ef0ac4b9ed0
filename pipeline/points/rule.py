"""The rules that are scored by points: each looks at one figure, apart for a few cases."""

from typing import Final, Literal, NamedTuple

# Where figures are cut before neighbours that tell the same are joined: at both tails of the unlabelled past, at equal
# shares of it, or at every whole number.
Slicing = Literal["tails", "shares", "whole"]


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


_CATEGORIES: Final = 30

RULES: Final = (
    Rule("amount", "amount", (Case("category", _CATEGORIES),), "tails"),
    Rule("spike", "ratio", (Case("spikes", 3),), "tails"),
    Rule("place-streak", "streak_days", (Case("streak", 3),), "shares"),
    Rule("hour", "hour", (Case("category", _CATEGORIES),), "whole"),
    Rule("burst", "count_24h", (), "whole"),
    Rule("own-category", "category_ratio", (), "tails"),
    Rule("receipt", "hours_since_receiving", (Case("category", _CATEGORIES), Case("earlier_of_kind", 1)), "shares"),
    Rule("new-payee", "new_payees_24h", (Case("category", _CATEGORIES), Case("new_payee", 1)), "whole"),
)
MEMORY: Final = Rule("memory", "memory_48h", (), "tails")
