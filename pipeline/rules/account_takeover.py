"""Account take-over: how the customer is reached or logs in was just changed, and now much is paid in a new way.

The sequence is that of somebody who has taken an account over: first the password, the number or the mail is changed so
that the owner hears nothing, then a new device or a new payee comes, then the money goes.

False alarms: people who move: they have a new address and pay a new landlord. A call to the number that was on file
before settles it.

Example: a new telephone number on Monday, on Tuesday 900.00 to a payee never paid before.
"""

from typing import Final

from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.durations import Duration
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal
from schemas.timestamps import MS_PER_DAY, MS_PER_MINUTE


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when a contact or credential was changed `within` before, and device or payee is no older than that."""
    t = sight.intake.occurred_ms
    since_ms = t - rule.within_ms
    dossier = sight.dossier
    changed = [dossier.credential_ms, *[contact.since_ms for contact in dossier.contacts]]
    if not any(since_ms < moment <= t for moment in changed):
        return
    history, device, payee = sight.history, sight.intake.device_id, sight.intake.payee_id
    new_device = device and history.devices.is_new(device, t, rule.within_ms)
    if new_device or (payee and history.payees.is_new(payee, t, rule.within_ms)):
        findings.append(found(rule, sight.intake.base_minor, rule.amount_minor, []))


def _say(signal: Signal, money: Money) -> str:
    return (
        f"{money(signal.observed)} with a new device or to a new payee, soon after a contact or credential was changed."
    )


PATTERN: Final = Pattern(
    "A large payment with a new device or payee, soon after a contact or credential was changed.",
    {
        "amount": Field(MinorAmount(), "The least payment that is judged."),
        "within": Field(Duration(MS_PER_MINUTE, 30 * MS_PER_DAY), "How long a change, a device and a payee are new."),
    },
    find,
    _say,
)
