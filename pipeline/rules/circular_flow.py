"""Circular flow: the same sum comes in and goes out, again and again, as when money is sent round to look like trade.

A payment is paired with a deposit before it of the same amount, give or take `margin_pct` per cent; each once.

False alarms: a shared account from which each deposit is forwarded. That is a pass-through, too, and worth a look.

Example: 3,000.00 in, 2,970.00 out, 3,000.00 in, 2,970.00 out, all within a day.
"""

from typing import Final

from pipeline.log import Entry, amount_of
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
    """Fires when this payment is the `count`th, or a later one, that sends on a sum that came in `within` before it."""
    own = sight.intake.base_minor
    came_in = recent(sight, DEPOSITS, rule.within_ms)
    if not any(_is_alike(amount_of(entry.counted), own, rule) for entry in came_in):
        return
    rounds: list[Entry] = []
    for sent in recent(sight, rule.mask, rule.within_ms):
        paired = _pair(sent.time, amount_of(sent.counted), came_in, rule)
        if paired is not None:
            came_in.remove(paired)
            rounds += (paired, sent)
    last = _pair(sight.intake.occurred_ms, own, came_in, rule)
    if last is not None and len(rounds) // 2 + 1 >= rule.count:
        entries = sorted([*rounds, last], key=lambda entry: (entry.time, entry.position))
        findings.append(found(rule, len(rounds) // 2 + 1, rule.count, entries))


def _pair(sent_ms: int, amount: int, came_in: list[Entry], rule: PlannedRule) -> Entry | None:
    """The latest deposit before it of about this amount."""
    for entry in reversed(came_in):
        if entry.time <= sent_ms and amount >= rule.amount_minor and _is_alike(amount_of(entry.counted), amount, rule):
            return entry
    return None


def _is_alike(received: int, sent: int, rule: PlannedRule) -> bool:
    return abs(received - sent) * _WHOLE_PCT <= received * rule.margin_pct


def _say(signal: Signal, _money: Money) -> str:
    return f"The same sum has come in and gone out {signal.observed} times."


PATTERN: Final = Pattern(
    "The same sum comes in and goes out, again and again.",
    {
        "amount": Field(MinorAmount(), "The least payment that counts."),
        "margin_pct": Field(Integer(0, 50), "How far the two may differ, in per cent of what came in."),
        "count": Field(Integer(1, 50), "How many rounds it takes."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "In how long a time."),
    },
    find,
    _say,
    types=("transfer", "withdrawal"),
    grows_with_amount=False,
)
