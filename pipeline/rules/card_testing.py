"""Card testing: several very small payments, then a large one. Whoever stole a card tries first whether it still works.

Small ones count whether they were authorised or declined: a refused trial is one, too. The large one is judged.

False alarms: whoever buys coffee, a ticket and a newspaper, and then something dear. Few payments are as small as
`small`, so they are rare as long as that stays below what the customers' everyday life costs.

Example: 1.00, 0.50 and 1.20 within ten minutes, then 900.00 in the same hour.
"""

from typing import Final

from pipeline.log import amount_of
from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.durations import Duration
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import LONGEST_MS, found, recent
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.timestamps import MS_PER_MINUTE


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires on a payment of `amount` or more when `count` or more of at most `small` came `within` before it."""
    earlier = recent(sight, rule.mask, rule.within_ms)
    small = [entry for entry in earlier if amount_of(entry.counted) <= rule.small_minor]
    if len(small) >= rule.count:
        findings.append(found(rule, len(small), rule.count, small))


def _say(signal: Signal, _money: Money) -> str:
    return f"{signal.observed} very small payments came shortly before it, as when a stolen card is tried."


PATTERN: Final = Pattern(
    "A large payment soon after several very small ones: a stolen card was tried.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "small": Field(MinorAmount(), "The largest payment that counts as a trial; less than `amount`."),
        "count": Field(Integer(1, 50), "How many trials it takes."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "How long before it they are looked for."),
    },
    find,
    _say,
)
