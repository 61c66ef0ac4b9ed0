"""A large amount to a payee that this customer has not used before, or only for a short while: take-over.

False alarms: a new landlord, the first order at a shop. Registering the payee ahead of time (`payee.added`) avoids it.

Example: 800.00 to somebody who was first paid this morning; the tier allows 500.00 to a new payee.
"""

from pipeline.sight import Finding, Sight


def find(sight: Sight, findings: list[Finding]) -> None:
    """Fires when the amount is above the limit and the payee was first seen less than `new_for` before, or never."""
    rule = sight.plan.new_payee
    payee = sight.intake.payee_id
    if rule is None or not payee or not rule.mask & sight.bit or sight.intake.declined:
        return
    amount = sight.intake.base_minor
    fires = amount > rule.limits[sight.tier]
    fires_at_base = amount > rule.limits[0]
    if not (fires or fires_at_base):
        return
    if sight.history.payees.is_new(payee, sight.intake.occurred_ms, rule.new_for_ms):
        findings.append(Finding(rule, amount, fires=fires, fires_at_base=fires_at_base))
