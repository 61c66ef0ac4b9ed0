"""Velocity: the sum and the count of a customer's transactions over rolling windows, calendar spans and the night.

False alarms: the month of a move or a wedding. Limits that hold an ordinary month make them rare; `tierwatch policy
calibrate` finds such limits from history.

Example: thirteen payments within one hour where the tier allows twelve.
"""

from pipeline.plan import NO_LIMIT, PlannedRule
from pipeline.sight import Finding, Sight


def find(sight: Sight, findings: list[Finding]) -> None:
    """Fires when a window that ends with this transaction, which counts, holds more than the limit.

    A declined transaction counts for velocity and not for sums, so it is judged by counts alone.
    """
    intake = sight.intake
    t = intake.occurred_ms
    own_amount = 0 if intake.declined else intake.base_minor
    newest = sight.history.is_newest(t)
    amount_left = count_left = NO_LIMIT
    for group in sight.plan.velocities:
        counts = group.mask & sight.bit != 0
        if not counts and not newest:
            continue
        timeline = sight.history.timeline(group.mask)
        for velocity in group.velocities:
            start = velocity.window.start(t)
            # Where a window does not apply, nothing known until now counts when it does.
            amount, count = (0, 0) if start is None else timeline.total(start, t)
            amount_left = min(amount_left, velocity.least_amount - amount)
            count_left = min(count_left, velocity.least_count - count)
            if not counts or start is None:
                continue
            amount += own_amount
            count += 1
            if amount > velocity.least_amount and velocity.amount is not None and not intake.declined:
                _judge(sight, findings, velocity.amount, velocity.name, start, amount)
            if count > velocity.least_count and velocity.count is not None:
                _judge(sight, findings, velocity.count, velocity.name, start, count)
    if newest:
        sight.history.headroom.found(sight.plan, t, amount_left, count_left)


def _judge(sight: Sight, findings: list[Finding], rule: PlannedRule, window: str, start: int, observed: int) -> None:
    fires = observed > rule.limits[sight.tier]
    fires_at_base = observed > rule.limits[0]
    if fires or fires_at_base:
        t = sight.intake.occurred_ms
        findings.append(
            Finding(rule, observed, fires=fires, fires_at_base=fires_at_base, window=window, start=start, end=t)
        )
