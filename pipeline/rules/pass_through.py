"""Pass-through: money that came in goes out again at once, nearly all of it. So do the accounts of mules.

Deposits are money that came in; what goes out are the rule's types, this payment included.

False alarms: a salary from which the rent is paid the same day. Looking at hours rather than days makes fewer of them.

Example: 4,000.00 arrives at nine, and by noon 3,900.00 has left in three transfers.
"""

from typing import Final

from pipeline.log import amount_of
from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.durations import Duration
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import DEPOSITS, LONGEST_MS, found, recent
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.timestamps import MS_PER_MINUTE

_WHOLE_PCT: Final = 100


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when `share_pct` per cent of what came in `within` before this payment has left with it."""
    came_in = recent(sight, DEPOSITS, rule.within_ms)
    received = sum([amount_of(entry.counted) for entry in came_in])
    if received < rule.amount_minor or received == 0:
        return
    first_ms = came_in[0].time
    left = [entry for entry in recent(sight, rule.mask, rule.within_ms) if entry.time >= first_ms]
    gone = sight.intake.base_minor + sum([amount_of(entry.counted) for entry in left])
    limit = -(-received * rule.share_pct // _WHOLE_PCT)
    if gone >= limit:
        findings.append(found(rule, gone, limit, left))


def _say(signal: Signal, money: Money) -> str:
    return f"{money(signal.observed)} went out soon after money came in; {money(signal.limit)} is nearly all of it."


PATTERN: Final = Pattern(
    "Money that came in goes out again at once, nearly all of it.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged, and the least that must have come in."),
        "share_pct": Field(Integer(1, 100), "How much of what came in must have left, in per cent."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "In how long a time."),
    },
    find,
    _say,
    types=("transfer", "withdrawal"),
)
