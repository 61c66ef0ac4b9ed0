"""The deny list and the watch list: a payee, device, merchant or address of which somebody has said that it is bad.

Entries are made with `tierwatch lists add`, and hold at once, at every worker, until they are removed or end by
themselves, as of the transaction's arrival. Declined transactions and incoming ones are looked at, too.

False alarms: as many as there are entries that have outlived their reason. Give each an end.

Example: a payee is put on the deny list at noon; at one a transfer to it is put on hold.
"""

from typing import Final

from pipeline.plan import PlannedRule
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.transaction import TRANSACTION_TYPES

_TYPES: Final = tuple([name for name in TRANSACTION_TYPES if name != "reversal"])
# The list that a rule asks.
_LIST: Final = {"deny_list": "deny", "watch_list": "watch"}


def find_listed(sight: Sight, findings: list[Finding]) -> None:
    """Ask the lists where there are any; whatever the amount."""
    if sight.lists.listed:
        for rule in sight.plan.listed:
            if rule.mask & sight.bit:
                find(rule, sight, findings)


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when the rule's list names the payee, the device, the merchant or the address."""
    intake = sight.intake
    about: list[str] = []
    for kind, value in (
        ("payee", intake.payee_id),
        ("device", intake.device_id),
        ("merchant", intake.merchant_id),
        ("address", intake.ip_address),
    ):
        if value and sight.lists.hit(_LIST[rule.name], kind, value, intake.arrived_ms) is not None:
            about.append(f"{kind} {value}")
    if about:
        finding = found(rule, len(about), 1, [])
        finding.about = ", ".join(about)
        findings.append(finding)


def _say_denied(signal: Signal, _money: Money) -> str:
    return f"On the deny list: {signal.about}."


def _say_watched(signal: Signal, _money: Money) -> str:
    return f"On the watch list: {signal.about}."


DENY: Final = Pattern(
    "A payee, device, merchant or address that is on the deny list.", {}, find, _say_denied, types=_TYPES
)
WATCH: Final = Pattern(
    "A payee, device, merchant or address that is on the watch list.", {}, find, _say_watched, types=_TYPES
)
