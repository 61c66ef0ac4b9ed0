"""A policy made ready for judging: each limit beside its window, the types it counts and its value at every tier."""

from functools import lru_cache
from typing import Final

from pipeline.calendar import Calendar, Window
from pipeline.learned.model import WHOLE, Model
from pipeline.plain import tail_of
from pipeline.points.live import LivePoints
from pipeline.points.steps import Step, steps_of
from pipeline.policy.model import (
    LIST_RULES,
    PATTERN_RULES,
    POINTS_NUMBER,
    POINTS_RULE,
    RISK_RULES,
    RULES,
    WINDOWS,
    Policy,
    Rule,
)
from schemas.decision import LANES, OUTCOMES, Severity, SignalMode
from schemas.transaction import TRANSACTION_TYPES

NO_LIMIT: Final = 2**61
_MOST_POINTS: Final = 100
# Of what is found by points, by the rank of the outcome.
_SEVERITIES: Final[list[Severity]] = ["low", "low", "medium", "high"]
_LONGEST_FIRST: Final = ("30d", "7d", "24h", "1h", "month", "day", "night")


class PlannedRule:
    """A rule that is not off. `limits` by rank of tier, in the rule's unit; `number` is its place in RULES."""

    def __init__(self, rule: Rule, policy: Policy) -> None:
        """Look the rule's limits up once."""
        self.name = rule.name
        self.number = POINTS_NUMBER if rule.name == POINTS_RULE else RULES.index(rule.name)
        self.mode: SignalMode = rule.mode
        self.points = rule.points
        self.severity = rule.severity
        self.floor = OUTCOMES.index(rule.floor)
        self.cool_down_ms = rule.cool_down_ms
        self.new_for_ms = rule.new_for_ms
        self.amount_minor = rule.amount_minor
        self.small_minor = rule.small_minor
        self.threshold_minor = rule.threshold_minor
        self.count = rule.count
        self.within_ms = rule.within_ms
        self.dormant_ms = rule.dormant_ms
        self.margin_pct = rule.margin_pct
        self.share_pct = rule.share_pct
        self.step_minor = rule.step_minor
        self.times = rule.times
        self.z = rule.z
        self.distance_km = rule.distance_km
        self.speed_kmh = rule.speed_kmh
        self.mask = sum(1 << TRANSACTION_TYPES.index(name) for name in rule.types)
        self.limits = [tier.limits.get(rule.name, 0) for tier in policy.tiers]


class Velocity:
    """One window over one set of types, and the rules that limit its sum and its count, at least one of the two.

    No tier's limits are below `least_amount` and `least_count`.
    """

    def __init__(
        self, name: str, window: Window, mask: int, amount: PlannedRule | None, count: PlannedRule | None
    ) -> None:
        """Look the lowest limits up once."""
        self.name = name
        self.window = window
        self.mask = mask
        self.amount = amount
        self.count = count
        self.least_amount = min(amount.limits) if amount is not None else NO_LIMIT
        self.least_count = min(count.limits) if count is not None else NO_LIMIT


class VelocityGroup:
    """The velocities of one set of types."""

    def __init__(self, mask: int, velocities: list[Velocity]) -> None:
        """Order the windows: so they stand on decisions."""
        self.mask = mask
        self.velocities = sorted(velocities, key=lambda velocity: _LONGEST_FIRST.index(velocity.name))


class Plan:
    """What judging asks of a policy, compiled once for each version."""

    def __init__(self, policy: Policy, model: Model | None = None) -> None:
        """Compile; `model` is the one that it has asked, None where it has none asked or nobody has it yet.

        Raises:
            UnknownZoneError: the policy's zone is not in the zone data.

        """
        self.policy = policy
        # What is asked for each transaction, at hand; the lists are by rank of tier.
        self.base_currency = policy.base_currency
        self.lateness_ms = policy.lateness_ms
        self.skew_ms = policy.skew_ms
        self.profile = policy.profile
        self.warm_until_ms = policy.warm_until_ms or 0
        self.tiers = [tier.name for tier in policy.tiers]
        self.priority = [tier.priority for tier in policy.tiers]
        self.decided = _decided(tuple(self.tiers))
        self.ranks = {tier.name: tier.rank for tier in policy.tiers}
        self.rules = {rule.name: PlannedRule(rule, policy) for rule in policy.rules.values() if rule.mode != "off"}
        self.account_frozen = self.rules.get("account_frozen")
        self.per_transaction = self.rules.get("amount_per_transaction")
        self.new_payee = self.rules.get("new_payee_amount")
        self.new_device = self.rules.get("new_device_amount")
        # Asked where an hour's count may have been passed, and not by amount, as all other patterns.
        self.burst = self.rules.get("burst")
        self.burst_mask = 0 if self.burst is None else self.burst.mask
        self.listed = [self.rules[name] for name in LIST_RULES if name in self.rules]
        self.risky = [self.rules[name] for name in RISK_RULES if name in self.rules]
        apart = ("burst", *LIST_RULES, *RISK_RULES)
        self.patterns = [self.rules[name] for name in PATTERN_RULES if name in self.rules and name not in apart]
        self.calendar = Calendar(policy.zone)
        velocities = self._velocities()
        masks = dict.fromkeys(velocity.mask for velocity in velocities)
        self.velocities = [VelocityGroup(mask, [v for v in velocities if v.mask == mask]) for mask in masks]
        # By type: what a transaction by itself may move without any rule looking at it, whatever the tier.
        self.unnoticed_minor = [self._unnoticed(1 << index) for index in range(len(TRANSACTION_TYPES))]
        self.velocity_mask = 0
        for group in self.velocities:
            self.velocity_mask |= group.mask
        self.outcome_of_score = _outcomes(policy)
        section = policy.points
        self.points = None if section is None or section.mode == "off" else LivePoints(section, self.outcome_of_score)
        learned = policy.learned
        self.model = model
        self.model_version = "" if self.model is None else self.model.card.sha256
        # Whether its word may ask for an alert, which carries the digest of what its payment was judged on.
        self.model_alerts = self.model is not None and learned is not None and learned.mode == "live"
        self.learned_steps: list[Step] = []
        if learned is not None:
            self.learned_steps = steps_of(learned.outcomes.given(), WHOLE, self.outcome_of_score)
        # Whether points or a model look at features, and whether any of them at those of the last day's payments.
        self.features = self.points is not None or self.model is not None
        self.rhythm = (self.points is not None and self.points.rhythm) or (self.model is not None and self.model.rhythm)
        # By score, as a rule that weighs so much.
        self.points_rules: list[PlannedRule] = []
        if self.points is not None:
            self.points_rules = [self._points_rule(score) for score in range(_MOST_POINTS + 1)]
        self.actions = [policy.outcomes[outcome] for outcome in OUTCOMES]
        # Where nothing was found: the outcome, and how the decision ends by lane and rank of tier.
        self.calm = self.outcome_of_score[0]
        version = self.model_version
        self.calm_tails = {
            lane: [tail_of(policy, tier, self.calm, lane, version) for tier in self.tiers] for lane in LANES
        }

    def _points_rule(self, score: int) -> PlannedRule:
        outcome, section = self.outcome_of_score[score], self.policy.points
        rule = Rule(
            name=POINTS_RULE,
            mode="off" if section is None else section.mode,
            points=score,
            severity=_SEVERITIES[outcome],
            floor=OUTCOMES[outcome],
            cool_down_ms=0 if section is None else section.cool_down_ms,
        )
        return PlannedRule(rule, self.policy)

    def _unnoticed(self, bit: int) -> int:
        alone = (self.per_transaction, self.new_payee, self.new_device)
        limits = [min(rule.limits) for rule in alone if rule is not None and rule.mask & bit]
        return min(limits + [rule.amount_minor - 1 for rule in self.patterns if rule.mask & bit], default=NO_LIMIT)

    def _velocities(self) -> list[Velocity]:
        planned: list[tuple[str, Window, str, str]] = [
            (name, self.calendar.window(name), f"amount_{name}", f"count_{name}") for name in WINDOWS
        ]
        night = self.policy.rules.get("night_amount")
        if night is not None:
            window = self.calendar.night(night.night_from_min, night.night_to_min)
            planned.append(("night", window, "night_amount", ""))
        velocities = []
        for name, window, amount_name, count_name in planned:
            amount, count = self.rules.get(amount_name), self.rules.get(count_name)
            if amount is not None and count is not None and amount.mask == count.mask:
                velocities.append(Velocity(name, window, amount.mask, amount, count))
                continue
            if amount is not None:
                velocities.append(Velocity(name, window, amount.mask, amount, None))
            if count is not None:
                velocities.append(Velocity(name, window, count.mask, None, count))
        return velocities


@lru_cache  # the same object for the same tiers: who counts by it notices a change at once
def _decided(tiers: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The name of each kind of decision, by rank of tier and, within, of outcome."""
    return tuple([("decisions", outcome, tier) for tier in tiers for outcome in OUTCOMES])


def _outcomes(policy: Policy) -> list[int]:
    """The outcome's rank for each score."""
    ranks = [0] * (max(band.high for band in policy.bands) + 1)
    for band in policy.bands:
        for score in range(band.low, band.high + 1):
            ranks[score] = OUTCOMES.index(band.outcome)
    return ranks
