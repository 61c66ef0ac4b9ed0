"""Fan-out: one account pays many new payees in a short time, as when stolen money is spread.

Payees are new that were first paid, or named, in that time; this payment must be to one of them.

False alarms: a move, a wedding, the first month at a new bank. Whoever adds payees ahead of time is no exception.

Example: on one day transfers to eight people whom the customer never paid before.
"""

from typing import Final

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
    """Fires when this payment's payee is one of `count` or more that became known `within` up to it."""
    payee, payees = sight.intake.payee_id, sight.history.payees
    until_ms = sight.intake.occurred_ms
    if not payee or not payees.is_new(payee, until_ms, rule.within_ms):
        return
    since_ms = until_ms - rule.within_ms
    new = len([first_ms for first_ms in payees.since.values() if since_ms < first_ms <= until_ms])
    if payees.is_new(payee, until_ms, 0):  # not known yet
        new += 1
    if new >= rule.count:
        findings.append(found(rule, new, rule.count, recent(sight, rule.mask, rule.within_ms)))


def _say(signal: Signal, _money: Money) -> str:
    return f"{signal.observed} new payees in a short time."


PATTERN: Final = Pattern(
    "Many new payees in a short time.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "count": Field(Integer(2, 50), "How many new payees it takes."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "In how long a time."),
    },
    find,
    _say,
    types=("transfer",),
)
