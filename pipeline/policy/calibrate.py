"""Limits from history: the lowest ones that keep what is asked of people within a budget per day.

What is measured is what the rules themselves observed: history was judged once with every limit at zero, so that each
rule told what it saw. A budget is shared alike: each rule may ask about the same part of a tier's customers. The same
history gives the same limits.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.currencies import EXPONENTS
from pipeline.policy.check_tiers import NESTED_LIMITS
from pipeline.policy.model import COUNT_RULES, LIMIT_RULES, Policy
from schemas.decision import OUTCOMES, Outcome

_STEPS = 24

Limits = dict[str, dict[str, int]]


class Seen(NamedTuple):
    """One transaction: whose, at which tier, when it arrived (epoch ms), and what each rule observed of it."""

    customer_id: str
    tier: str
    arrival_ms: int
    observed: Mapping[str, int]


def probe(policy: Policy) -> Policy:
    """The policy under which each limit's rule tells what it observes of every transaction, and asks for nothing."""
    rules = {
        name: replace(rule, mode="shadow") if name in LIMIT_RULES and rule.mode != "off" else replace(rule, mode="off")
        for name, rule in policy.rules.items()
    }
    tiers = tuple(replace(tier, limits=dict.fromkeys(tier.limits, 0)) for tier in policy.tiers)
    return replace(policy, rules=rules, tiers=tiers)


def alerting(policy: Policy) -> tuple[str, ...]:
    """The live limit rules that alert when they fire alone."""
    return tuple(rule for rule in _live(policy) if policy.outcomes[_alone(policy, rule)].alert)


def challenging(policy: Policy) -> tuple[str, ...]:
    """The live limit rules that ask for something when they fire alone, and alert nobody."""
    found = (rule for rule in _live(policy) if not policy.outcomes[_alone(policy, rule)].alert)
    return tuple(rule for rule in found if policy.outcomes[_alone(policy, rule)].account_action)


def asked_per_day(seen: Sequence[Seen], limits: Limits, rules: Collection[str], policy: Policy, days: float) -> float:
    """How often a day these rules would ask for something under these limits, their cool-downs observed."""
    cool_down_ms = {rule: policy.rules[rule].cool_down_ms for rule in rules}
    since: dict[tuple[str, str], int] = {}
    asked = 0
    for each in seen:
        of_tier = limits[each.tier]
        firing = [rule for rule, value in each.observed.items() if rule in cool_down_ms and value > of_tier[rule]]
        fresh = [
            rule
            for rule in firing
            if each.arrival_ms - since.get((each.customer_id, rule), -(1 << 62)) >= cool_down_ms[rule]
        ]
        if fresh:
            asked += 1
            since.update(((each.customer_id, rule), each.arrival_ms) for rule in firing)
    return asked / days


def calibrate(
    seen: Sequence[Seen], policy: Policy, current: Limits, rules: Sequence[str], per_day: float, days: float
) -> Limits:
    """The lowest limits of these rules, by tier, with which they ask for something at most `per_day` times a day.

    `seen` is in the order of arrival. Never below what half of a tier's transactions show, and never such that a tier
    has less than the one below it, or a window less than one within it. Tiers without history keep their limits, unless
    that forces them up.
    """
    shown = {
        (tier.name, rule): sorted(
            each.observed[rule] for each in seen if each.tier == tier.name and rule in each.observed
        )
        for tier in policy.tiers
        for rule in rules
    }
    episodes = _Episodes(seen, policy, days)
    low, high = 0.0, 1.0
    best = _consistent(policy, current, {at: values[-1] for at, values in shown.items() if values})
    for _ in range(_STEPS):
        rate = (low + high) / 2
        chosen = {at: episodes.lowest(at, values, rate) for at, values in shown.items() if values}
        limits = _consistent(policy, current, chosen)
        if asked_per_day(seen, limits, rules, policy, days) <= per_day:
            best, low = limits, rate
        else:
            high = rate
    return best


class _Episodes:
    """How often one rule would ask about one tier's customers, as a function of its limit."""

    def __init__(self, seen: Sequence[Seen], policy: Policy, days: float) -> None:
        self._policy = policy
        self._days = days
        self._of_tier = {tier.name: [each for each in seen if each.tier == tier.name] for tier in policy.tiers}
        self._customers = {
            name: len({each.customer_id for each in inside}) for name, inside in self._of_tier.items()
        }  # fmt: skip
        self._counted: dict[tuple[str, str, int], float] = {}

    def lowest(self, at: tuple[str, str], values: Sequence[int], rate: float) -> int:
        """The lowest of the values observed with which at most `rate` times the customers are asked about a day."""
        tier, _ = at
        allowed = rate * self._customers[tier]
        candidates = sorted(set(values[len(values) // 2 :]))
        found = bisect_left(candidates, True, key=lambda limit: self._per_day(at, limit) <= allowed)  # noqa: FBT003
        return candidates[min(found, len(candidates) - 1)]

    def _per_day(self, at: tuple[str, str], limit: int) -> float:
        key = (*at, limit)
        if key not in self._counted:
            tier, rule = at
            self._counted[key] = asked_per_day(
                self._of_tier[tier], {tier: {rule: limit}}, (rule,), self._policy, self._days
            )
        return self._counted[key]


def _consistent(policy: Policy, current: Limits, chosen: Mapping[tuple[str, str], int]) -> Limits:
    """Rounded up to two digits, and raised until no tier and no window has less than it must."""
    step: int = 10 ** EXPONENTS[policy.base_currency]
    limits: Limits = {}
    below: dict[str, int] = {}
    for tier in policy.tiers:
        own = {
            rule: _rounded(chosen[tier.name, rule], 1 if rule in COUNT_RULES else step)
            if (tier.name, rule) in chosen
            else limit
            for rule, limit in current[tier.name].items()
        }
        own = {rule: max(limit, below.get(rule, 0)) for rule, limit in own.items()}
        for inner, outer in NESTED_LIMITS * 2:  # the week follows the day, and the month the week
            own[outer] = max(own[outer], own[inner])
        limits[tier.name] = below = own
    return limits


def _rounded(value: int, step: int) -> int:
    """Up to two digits, in whole units."""
    units = -(-value // step)
    ten: int = 10 ** max(0, len(str(units)) - 2)
    return -(-units // ten) * ten * step


def _live(policy: Policy) -> list[str]:
    return [rule for rule in LIMIT_RULES if policy.rules[rule].mode == "live"]


def _alone(policy: Policy, rule: str) -> Outcome:
    weight = policy.rules[rule]
    banded = next(band.outcome for band in policy.bands if band.low <= weight.points <= band.high)
    return max(banded, weight.floor, key=OUTCOMES.index)
