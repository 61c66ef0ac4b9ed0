"""The rules, one idea a file: each looks at a sight and notes what it finds. The tables here register them."""

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.policy.model import PATTERN_RULES
from pipeline.rules import (
    account_frozen,
    account_takeover,
    amount_outlier,
    burst,
    card_testing,
    circular_flow,
    dormant_account,
    entity_risk,
    fan_in,
    fan_out,
    impossible_travel,
    listed,
    mule_account,
    new_category,
    new_country,
    new_device,
    new_payee,
    odd_hour,
    pass_through,
    per_transaction,
    refund_abuse,
    retroactive,
    round_amounts,
    structuring,
    velocity,
)
from pipeline.rules.pattern import Find, Pattern
from pipeline.sight import Finding, Sight

Rule = Callable[[Sight, list[Finding]], None]

# About a transaction by itself, and about what stands before it; so they stand on decisions, before all patterns.
ALONE: Final[tuple[Rule, ...]] = (account_frozen.find, per_transaction.find, new_payee.find, new_device.find)
VELOCITY: Final[tuple[Rule, ...]] = (velocity.find, retroactive.find)
PATTERNS: Final[Mapping[str, Pattern]] = {
    "card_testing": card_testing.PATTERN,
    "structuring": structuring.PATTERN,
    "dormant_account": dormant_account.PATTERN,
    "account_takeover": account_takeover.PATTERN,
    "burst": burst.PATTERN,
    "circular_flow": circular_flow.PATTERN,
    "fan_in": fan_in.PATTERN,
    "fan_out": fan_out.PATTERN,
    "pass_through": pass_through.PATTERN,
    "refund_abuse": refund_abuse.PATTERN,
    "round_amounts": round_amounts.PATTERN,
    "deny_list": listed.DENY,
    "watch_list": listed.WATCH,
    "amount_outlier": amount_outlier.PATTERN,
    "impossible_travel": impossible_travel.PATTERN,
    "mule_account": mule_account.PATTERN,
    "new_category": new_category.PATTERN,
    "new_country": new_country.PATTERN,
    "odd_hour": odd_hour.PATTERN,
    "compromised_merchant": entity_risk.MERCHANT,
    "fraud_linked": entity_risk.LINKED,
}
_FIND: Final[dict[str, Find]] = {name: PATTERNS[name].find for name in PATTERN_RULES}


def find_patterns(sight: Sight, findings: list[Finding]) -> None:
    """Ask the patterns whose types and least amount the transaction has."""
    intake = sight.intake
    if intake.declined:
        return
    for rule in sight.plan.patterns:
        if rule.mask & sight.bit and intake.base_minor >= rule.amount_minor:
            _FIND[rule.name](rule, sight, findings)
