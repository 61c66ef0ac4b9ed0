"""One transaction above what the tier may move at once.

False alarms: the car that is paid at once. A temporary limit, approved beforehand, lets it through.

Example: 1,500.01 where the tier allows 1,500.00.
"""

from pipeline.sight import Finding, Sight


def find(sight: Sight, findings: list[Finding]) -> None:
    """Fires when the amount is above the limit; declined transactions moved nothing."""
    rule = sight.plan.per_transaction
    if rule is None or not rule.mask & sight.bit or sight.intake.declined:
        return
    amount = sight.intake.base_minor
    fires = amount > rule.limits[sight.tier]
    fires_at_base = amount > rule.limits[0]
    if fires or fires_at_base:
        findings.append(Finding(rule, amount, fires=fires, fires_at_base=fires_at_base))
