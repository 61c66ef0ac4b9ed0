"""Burst: many times as many payments in an hour as this customer makes in a day.

The usual number is that of the 29 days before yesterday, by the day. A customer of whom fewer than `count` payments are
known from that time has no usual number, and the limits of the tier alone hold.

False alarms: the first day of a holiday, Christmas shopping. Declined payments count, because whoever tries cards makes
many.

Example: one payment a day for a month, then eight within twenty minutes.
"""

from typing import Final

from pipeline.plan import PlannedRule
from pipeline.policy.containers import Field
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

_USUAL_DAYS: Final = 29
_WINDOW: Final = "1h"


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when an hour holds `count` or more, and `times` as many as a usual day."""
    t = sight.intake.occurred_ms
    history, plan = sight.history, sight.plan
    timeline = history.timeline(rule.mask)
    start = t - MS_PER_HOUR + 1
    count = timeline.total(start, t)[1] + 1
    if history.is_newest(t):
        history.headroom.found_in_hour(plan, t, rule.count - count)
    if count < rule.count:
        return
    month = plan.calendar.window("30d").start(t)
    if month is None:
        return
    usual = timeline.total(month, t - MS_PER_DAY)[1]
    limit = max(rule.count, -(-usual * rule.times // _USUAL_DAYS))
    if usual >= rule.count and count >= limit:
        finding = Finding(rule, count, fires=True, fires_at_base=True, window=_WINDOW, start=start, end=t)
        finding.limit = limit
        findings.append(finding)


def find_in_hour(sight: Sight, findings: list[Finding]) -> None:
    """Ask it of the types that it counts, whatever the amount."""
    rule = sight.plan.burst
    if rule is not None and rule.mask & sight.bit:
        find(rule, sight, findings)


def _say(signal: Signal, _money: Money) -> str:
    return f"{signal.observed} payments within one hour, far more than this customer makes in a day."


PATTERN: Final = Pattern(
    "Many more payments in an hour than the customer makes in a day.",
    {
        "count": Field(Integer(2, 1000), "The least number that is looked at, this one included."),
        "times": Field(Integer(1, 1000), "How many times the usual number of a day it must be."),
    },
    find,
    _say,
)
