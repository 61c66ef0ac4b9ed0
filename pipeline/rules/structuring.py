"""Structuring: payments kept just under a limit, several of them, so that none is noticed by itself.

The limits are what the tier allows per transaction, and `threshold`, above which payments are reported to the
authorities. A payment is just under a limit when it is at most `margin_pct` per cent below it.

False alarms: a rent, a rate and a tuition fee that happen to lie there, or a price that many pay. A smaller margin
makes fewer of them.

Example: the tier allows 1,500.00 per transaction, and within a day 1,480.00, 1,450.00 and 1,495.00 are paid.
"""

from typing import Final

from pipeline.log import Entry, amount_of
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

_WHOLE_PCT: Final = 100


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when this payment and those `within` before it, `count` together or more, all lie just under a limit."""
    allowed = sight.plan.per_transaction
    at_tier = at_base = [rule.threshold_minor]
    if allowed is not None:
        at_tier = [allowed.limits[sight.tier], rule.threshold_minor]
        at_base = [allowed.limits[0], rule.threshold_minor]
    own = sight.intake.base_minor
    if not any(_is_under(own, limit, rule) for limit in at_tier + at_base):
        return
    earlier = recent(sight, rule.mask, rule.within_ms)
    under_tier = _most_under(own, at_tier, rule, earlier)
    under_base = under_tier if at_base == at_tier else _most_under(own, at_base, rule, earlier)
    fires = len(under_tier) + 1 >= rule.count
    fires_at_base = len(under_base) + 1 >= rule.count
    if fires or fires_at_base:
        seen = under_tier if fires else under_base
        finding = found(rule, len(seen) + 1, rule.count, seen)
        finding.fires, finding.fires_at_base = fires, fires_at_base
        findings.append(finding)


def _most_under(own: int, limits: list[int], rule: PlannedRule, earlier: list[Entry]) -> list[Entry]:
    """The earlier ones under the limit under which most lie, with this payment."""
    most: list[Entry] = []
    for limit in limits:
        if _is_under(own, limit, rule):
            under = [entry for entry in earlier if _is_under(amount_of(entry.counted), limit, rule)]
            if len(under) > len(most):
                most = under
    return most


def _is_under(amount: int, limit: int, rule: PlannedRule) -> bool:
    return amount <= limit and amount * _WHOLE_PCT >= limit * (_WHOLE_PCT - rule.margin_pct)


def _say(signal: Signal, _money: Money) -> str:
    return f"{signal.observed} payments in a short time, each just under a limit."


PATTERN: Final = Pattern(
    "Several payments just under a limit, so that none is noticed by itself.",
    {
        "amount": Field(MinorAmount(), "The least payment that is looked at, however low a limit is."),
        "threshold": Field(MinorAmount(), "Above which payments are reported; counts beside the tier's limit."),
        "margin_pct": Field(Integer(1, 50), "How far below a limit is just under it, in per cent of it."),
        "count": Field(Integer(2, 50), "How many payments it takes, this one included."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "In how long a time."),
    },
    find,
    _say,
    grows_with_amount=False,
)
