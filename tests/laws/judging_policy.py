"""The policy as the oracle reads it: from the YAML's text, amounts in Decimal, without any code of the loader."""

from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import yaml

from tests.laws.oracle import WINDOWS, Night, Oracle

OUTCOMES = ("pass", "challenge", "review", "hold")
EXPONENTS = {"USD": 2, "EUR": 2, "CHF": 2, "JPY": 0, "BHD": 3}
DEFAULT_TYPES = ("purchase", "transfer", "withdrawal")
UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 24 * 3_600_000}


class Rule(NamedTuple):
    """`window` is None where a transaction is judged by itself."""

    name: str
    mode: str
    severity: str
    points: int
    floor: int
    cool_down: int
    types: tuple[str, ...]
    new_for: int
    window: str | Night | None
    counts: bool


class Policy:
    def __init__(self, text: str) -> None:
        whole = yaml.safe_load(text)
        self.currency: str = whole["base_currency"]
        self.lateness, self.skew = _duration(whole["lateness"]), _duration(whole["skew"])
        self.rate_max_age = _duration(whole["rate_max_age"])
        self.windows = Oracle(whole["zone"])
        self.tiers: list[str] = [tier["name"] for tier in whole["tiers"]]
        self.rules = [_rule(name, rule) for name, rule in whole["rules"].items() if rule["mode"] != "off"]
        self.limits = {
            tier["name"]: {rule: self._limit(rule, tier) for rule in whole["rules"]} for tier in whole["tiers"]
        }
        self.priority = {tier["name"]: tier["priority"] for tier in whole["tiers"]}
        self.bands = [(band["low"], band["high"], OUTCOMES.index(band["outcome"])) for band in whole["bands"]]
        self.actions = [whole["outcomes"][outcome] for outcome in OUTCOMES]

    def _limit(self, rule: str, tier: dict[str, Any]) -> Decimal:
        limit = Decimal(str(tier["limits"].get(rule, 0)))
        return limit if rule.startswith("count_") else limit.scaleb(EXPONENTS[self.currency])

    def band(self, score: int) -> int:
        (outcome,) = [outcome for low, high, outcome in self.bands if low <= score <= high]
        return outcome


def _rule(name: str, given: dict[str, Any]) -> Rule:
    span = name.partition("_")[2]
    window: str | Night | None = span if span in WINDOWS else None
    if name == "night_amount":
        window = Night(_minutes(given["night_from"]), _minutes(given["night_to"]))
    return Rule(
        name,
        given["mode"],
        given["severity"],
        given["points"],
        OUTCOMES.index(given["floor"]),
        _duration(given["cool_down"]),
        tuple(given.get("types", DEFAULT_TYPES)),
        _duration(given.get("new_for", "0s")),
        window,
        name.startswith("count_"),
    )


def _duration(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


# Reading YAML is slower than judging by brute force.
read_policy = cache(Policy)
