"""Amount outlier: a payment far above what this customer usually pays, in deviations of the customer's own payments.

No outlier raises what is usual, so that one fraud does not excuse the next.

False alarms: a car, a holiday, a new kitchen: everybody's largest payment of the year. A step-up is the right answer.

Example: payments of 20.00 to 90.00 for months, then 1,900.00.
"""

from typing import Final

from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when the amount is `z` deviations or more above the winsorised mean of `count` payments or more."""
    baseline = sight.history.profile.baseline
    if baseline.count >= rule.count:
        z = int(baseline.z(sight.intake.base_minor))
        if z >= rule.z:
            findings.append(found(rule, z, rule.z, []))


def _say(signal: Signal, _money: Money) -> str:
    return f"The amount lies {signal.observed} deviations above what this customer usually pays."


PATTERN: Final = Pattern(
    "A payment far above what the customer usually pays.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "z": Field(Integer(1, 1000), "How many deviations above the usual it must be."),
        "count": Field(Integer(3, 200), "How many payments must be known."),
    },
    find,
    _say,
)
