"""New category: a large payment for a kind of thing this customer never paid for. Stolen cards buy what sells again.

A kind is the merchant's category, or the type of transaction where none is told, with the channel.

False alarms: the first time at a jeweller's. Everybody does something new now and then, so it weighs little by itself.

Example: groceries and fuel for months, then 1,200.00 for electronics.
"""

from typing import Final

from pipeline.behaviour.payment import category_of
from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when `count` payments or more are known and none of them was of this category."""
    intake, profile = sight.intake, sight.history.profile
    known = profile.baseline.count
    if known >= rule.count:
        times, _ = profile.categories.look(category_of(intake.type_index, intake.mcc, intake.channel), 0)
        if times == 0:
            findings.append(found(rule, known, rule.count, []))


def _say(signal: Signal, _money: Money) -> str:
    return f"The first payment of this category, after {signal.observed} of others."


PATTERN: Final = Pattern(
    "A large payment of a category that the customer never paid for.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "count": Field(Integer(1, 200), "How many payments must be known."),
    },
    find,
    _say,
)
