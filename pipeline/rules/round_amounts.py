"""Round amounts: several payments of whole hundreds in a short time. People pay prices; thieves and mules move sums.

False alarms: gifts, cash machines, savings. It weighs little by itself and is meant to add to other rules.

Example: transfers of 500.00, 1,000.00, 700.00 and 600.00 in an afternoon.
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
    """Fires when this payment and those `within` before it, `count` together or more, are multiples of `step`."""
    if not _is_round(sight.intake.base_minor, rule):
        return
    earlier = recent(sight, rule.mask, rule.within_ms)
    alike = [entry for entry in earlier if _is_round(amount_of(entry.counted), rule)]
    if len(alike) + 1 >= rule.count:
        findings.append(found(rule, len(alike) + 1, rule.count, alike))


def _is_round(amount: int, rule: PlannedRule) -> bool:
    return amount >= rule.amount_minor and amount % max(rule.step_minor, 1) == 0


def _say(signal: Signal, _money: Money) -> str:
    return f"{signal.observed} payments of round amounts in a short time."


PATTERN: Final = Pattern(
    "Several payments of round amounts in a short time.",
    {
        "amount": Field(MinorAmount(), "The least payment that counts."),
        "step": Field(MinorAmount(), "A multiple of it is round."),
        "count": Field(Integer(2, 50), "How many payments it takes, this one included."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "In how long a time."),
    },
    find,
    _say,
    grows_with_amount=False,
)
