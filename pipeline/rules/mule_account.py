"""Mule account: the first money that ever comes in goes out the same hour, and nothing was ever paid before.

False alarms: whoever opens an account to pass one sum on, as between own accounts. There is one payment to ask about.

Example: an account that never paid anything receives 2,500.00, and twenty minutes later 2,450.00 is withdrawn.
"""

from typing import Final

from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.durations import Duration
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import DEPOSITS, LONGEST_MS, found, recent
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.timestamps import MS_PER_MINUTE


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires on the first payment of a customer who first received money at most `within` ago."""
    profile = sight.history.profile
    began_ms = profile.receipts.received_ms
    if began_ms < 0 or profile.baseline.count > 0:
        return
    since_ms = sight.intake.occurred_ms - began_ms
    if 0 <= since_ms < rule.within_ms:
        came_in = recent(sight, DEPOSITS, rule.within_ms)
        findings.append(found(rule, sight.intake.base_minor, rule.amount_minor, came_in))


def _say(signal: Signal, money: Money) -> str:
    return f"{money(signal.observed)} leaves an account that never paid before, as soon as its first money came in."


PATTERN: Final = Pattern(
    "The first money that ever comes in goes out at once.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "within": Field(Duration(MS_PER_MINUTE, LONGEST_MS), "How soon after the first money came in."),
    },
    find,
    _say,
    types=("transfer", "withdrawal"),
)
