"""New country: a large payment in a country from which no payment of this customer is known.

False alarms: every first holiday abroad. A step-up is the right answer; the country is known afterwards.

Example: sixty payments in one country, then 800.00 in another.
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
    """Fires when `count` payments or more with a country are known and none of them was made in this one."""
    country, places = sight.intake.country, sight.history.profile.places
    if country and places.payments_in(country) == 0:
        known = sum(places.countries.values())
        if known >= rule.count:
            findings.append(found(rule, known, rule.count, []))


def _say(signal: Signal, _money: Money) -> str:
    return f"The first payment in this country, after {signal.observed} elsewhere."


PATTERN: Final = Pattern(
    "A large payment in a country that is new to the customer.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "count": Field(Integer(1, 200), "How many payments with a country must be known."),
    },
    find,
    _say,
)
