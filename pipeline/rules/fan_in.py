"""Fan-in: many payments come in within a short time, as when the victims of a fraud pay into one account.

Payments are counted, not payers: a payment that comes in need not say who paid. What was declined did not come in. Each
is a transaction of the account that receives it, a `deposit`: of a processor that tells only of what leaves, nothing.

False alarms: a collection for a gift, the day on which a small trader is paid, who needs an account for that.

Example: ten deposits of about 200.00 in one afternoon, to an account that sees two a month.
"""

from typing import Final

from pipeline.log import amount_of, is_declined
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
    """Fires when with this one `count` or more of at least `amount` came in `within`."""
    earlier = [
        entry
        for entry in recent(sight, rule.mask, rule.within_ms)
        if amount_of(entry.counted) >= rule.amount_minor and not is_declined(entry.counted)
    ]
    if len(earlier) + 1 >= rule.count:
        findings.append(found(rule, len(earlier) + 1, rule.count, earlier))


def _say(signal: Signal, _money: Money) -> str:
    return f"{signal.observed} payments came in within a short time."


PATTERN: Final = Pattern(
    "Many payments come in within a short time.",
    {
        "amount": Field(MinorAmount(), "The least payment that counts."),
        "count": Field(Integer(2, 50), "How many payments it takes, this one included."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "In how long a time."),
    },
    find,
    _say,
    types=("deposit",),
)
