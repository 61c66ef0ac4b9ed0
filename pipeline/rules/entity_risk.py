"""Where fraud was found: a terminal or merchant at which several customers were defrauded, a payee or device of fraud.

Asks what matured labels teach (topic `entity-risk`): payments of the last 30 days that were found to be fraud, the
customers who suffered it, and all payments that were labelled. A compromised terminal defrauds everybody, a stolen card
only its owner: so customers are counted, not payments. Declined transactions are not looked at.

False alarms: at a large merchant some customer is always defrauded elsewhere and notices it there. The share of frauds
among all labelled payments keeps those out, as far as genuine ones are labelled, too.

Example: three customers deny payments at one terminal; the next payment there is looked at.
"""

from typing import Final

from pipeline.entities.risks import Risk
from pipeline.plan import PlannedRule
from pipeline.policy.amounts import MinorAmount
from pipeline.policy.containers import Field
from pipeline.policy.shapes import Integer
from pipeline.rules.pattern import Money, Pattern
from pipeline.rules.recent import found
from pipeline.sight import Finding, Sight
from schemas.decision import Signal

_WHOLE_PCT: Final = 100
# Which of an entity's kinds a rule asks; the payee and the device are the other rule's.
_PLACES: Final = "compromised_merchant"


def find_risky(sight: Sight, findings: list[Finding]) -> None:
    """Ask the rules where something is known against one of the transaction's entities."""
    if not sight.intake.declined:
        for rule in sight.plan.risky:
            if rule.mask & sight.bit and sight.intake.base_minor >= rule.amount_minor:
                find(rule, sight, findings)


def find(rule: PlannedRule, sight: Sight, findings: list[Finding]) -> None:
    """Fires when `count` customers were defrauded there, and `share_pct` per cent of what was labelled is fraud."""
    intake, risks = sight.intake, sight.risks
    if rule.name == _PLACES:
        asked = (risks.terminals.get(intake.terminal_id), risks.merchants.get(intake.merchant_id))
    else:
        asked = (risks.payees.get(intake.payee_id), risks.devices.get(intake.device_id))
    about: list[str] = []
    most = 0
    for risk in asked:
        if risk is not None and _speaks(risk, rule, intake.arrived_ms):
            about.append(f"{risk.kind} {risk.value}")
            most = max(most, risk.customers)
    if about:
        finding = found(rule, most, rule.count, [])
        finding.about = ", ".join(about)
        findings.append(finding)


def _speaks(risk: Risk, rule: PlannedRule, arrived_ms: int) -> bool:
    return (
        arrived_ms < risk.until_ms
        and risk.customers >= rule.count
        and risk.frauds * _WHOLE_PCT >= risk.labelled * rule.share_pct
    )


def _say(signal: Signal, _money: Money) -> str:
    customers = "1 customer was" if signal.observed == 1 else f"{signal.observed} customers were"
    return f"{customers} defrauded in the last 30 days at {signal.about}; {signal.limit} already is too much."


_PARAMETERS: Final = {
    "amount": Field(MinorAmount(), "The least payment that is judged."),
    "count": Field(Integer(1, 1000), "How many customers must have been defrauded there in 30 days."),
    "share_pct": Field(Integer(1, 100), "How much of what was labelled there must be fraud, in per cent."),
}
MERCHANT: Final = Pattern("A terminal or merchant where customers were defrauded.", _PARAMETERS, find, _say)
LINKED: Final = Pattern("A payee or device of payments that were found to be fraud.", _PARAMETERS, find, _say)
