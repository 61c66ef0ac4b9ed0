"""Refund abuse: much of what was bought in a month is given back, in many refunds. Goods, or a till, are being misused.

False alarms: whoever orders clothes in three sizes. The share keeps them out as long as they keep something.

Example: purchases of 1,000.00 in 30 days, and six refunds of 850.00 together.
"""

from typing import Final

from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.transaction import TRANSACTION_TYPES

_PURCHASES: Final = 1 << TRANSACTION_TYPES.index("purchase")
_WHOLE_PCT: Final = 100
_WINDOW: Final = "30d"


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires on the `count`th refund of 30 days, or a later one, when they are `share_pct` per cent of the purchases."""
    t = sight.intake.occurred_ms
    start = sight.plan.calendar.window(_WINDOW).start(t)
    if start is None:
        return
    given_back, refunds = sight.history.timeline(rule.mask).total(start, t)
    if refunds + 1 < rule.count:
        return
    bought, _ = sight.history.timeline(_PURCHASES).total(start, t)
    given_back += sight.intake.base_minor
    limit = -(-bought * rule.share_pct // _WHOLE_PCT)
    if bought and given_back >= limit:
        finding = Finding(rule, given_back, fires=True, fires_at_base=True, window=_WINDOW, start=start, end=t)
        finding.limit = limit
        findings.append(finding)


def _say(signal: Signal, money: Money) -> str:
    return f"{money(signal.observed)} of a month's purchases came back; {money(signal.limit)} already is much of them."


PATTERN: Final = Pattern(
    "Much of what was bought in 30 days is given back.",
    {
        "amount": Field(MinorAmount(), "The least refund that is judged."),
        "count": Field(Integer(1, 1000), "How many refunds it takes, this one included."),
        "share_pct": Field(Integer(1, 1000), "Their sum, in per cent of the purchases."),
    },
    find,
    _say,
    types=("refund",),
)
