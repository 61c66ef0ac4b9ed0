"""Odd hour: a large payment at an hour of the day at which this customer hardly ever pays.

False alarms: people who travel, shift workers whose shift has changed; habits fade, so they are right again soon.

Example: hundreds of payments between eight and twenty-two, then 700.00 at four in the morning.
"""

from typing import Final

from pipeline.behaviour.profile import hour_of
from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when at most `share_pct` per cent of the payments known fell on this hour or its neighbours."""
    rhythm = sight.history.profile.rhythm
    if rhythm.known >= rule.count:
        share = int(100 * rhythm.share(hour_of(sight.intake.occurred_ms)))
        if share <= rule.share_pct:
            findings.append(found(rule, share, rule.share_pct, []))


def _say(signal: Signal, _money: Money) -> str:
    return f"Only {signal.observed} % of the customer's payments fell on this time of the day."


PATTERN: Final = Pattern(
    "A large payment at an hour at which the customer hardly ever pays.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "share_pct": Field(Integer(0, 50), "At most so many per cent of the payments may have fallen there."),
        "count": Field(Integer(24, 250), "How many payments must be known."),
    },
    find,
    _say,
)
