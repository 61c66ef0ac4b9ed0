"""Dormant account: after months without a payment a large one is made, perhaps by somebody who found the account.

The time is counted from the arrival of the last payment of whatever kind, declined ones and incoming ones included.

False alarms: savings that are touched once a year, people back from abroad. They are asked for a step-up once; the next
payment comes soon after this one and is not judged again.

Example: nothing since last autumn, then 2,400.00 in May.
"""

from typing import Final

from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.durations import Duration
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.timestamps import MS_PER_DAY

_LONGEST_MS: Final = 3660 * MS_PER_DAY


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when nothing has arrived for `dormant`; a customer of whom nothing is known is not dormant but new."""
    last_ms = sight.history.last_arrival_ms
    silent_ms = sight.intake.arrived_ms - last_ms
    if last_ms > 0 and silent_ms >= rule.dormant_ms:
        days = silent_ms // MS_PER_DAY
        limit = rule.dormant_ms // MS_PER_DAY
        findings.append(found(rule, days, limit, []))


def _say(signal: Signal, _money: Money) -> str:
    return f"The first payment after {signal.observed} days without any."


PATTERN: Final = Pattern(
    "A large payment after months without any.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "dormant": Field(Duration(MS_PER_DAY, _LONGEST_MS), "How long there must have been none."),
    },
    find,
    _say,
)
