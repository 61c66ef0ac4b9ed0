"""Velocity: the sum and the count of a customer's transactions over rolling windows, calendar spans and the night."""

from pipeline.plan import PlannedRule, VelocityGroup
from pipeline.sight import Finding, Sight


def find(sight: Sight, findings: list[Finding]) -> None:
    """Fires when a window that ends with this transaction, which counts, holds more than the limit.

    A declined transaction counts for velocity and not for sums, so it is judged by counts alone.
    """
    for group in sight.plan.velocities:
        if group.mask & sight.bit:
            _look(sight, findings, group)


def _look(sight: Sight, findings: list[Finding], group: VelocityGroup) -> None:
    intake = sight.intake
    t = intake.occurred_ms
    amount = 0 if intake.declined else intake.base_minor
    timeline = sight.history.timeline(group.mask)
    most_amount, most_count = timeline.most()
    if most_amount + amount <= group.least_amount and most_count < group.least_count:
        return
    # What each window holds with this transaction, at most: a window that the one around it shows to hold too little
    # is not asked. The last place is for all that is remembered.
    amounts = [most_amount + amount] * (len(group.velocities) + 1)
    counts = [most_count + 1] * (len(group.velocities) + 1)
    for place, velocity in enumerate(group.velocities):
        total, count = amounts[velocity.outer], counts[velocity.outer]
        amounts[place], counts[place] = total, count
        if total <= velocity.least_amount and count <= velocity.least_count:
            continue
        start = velocity.window.start(t)
        if start is None:
            amounts[place] = counts[place] = 0
            continue
        total, count = timeline.total(start, t)
        total += amount
        count += 1
        amounts[place], counts[place] = total, count
        if total > velocity.least_amount and velocity.amount is not None and not intake.declined:
            _judge(sight, findings, velocity.amount, velocity.name, start, total)
        if count > velocity.least_count and velocity.count is not None:
            _judge(sight, findings, velocity.count, velocity.name, start, count)


def _judge(sight: Sight, findings: list[Finding], rule: PlannedRule, window: str, start: int, observed: int) -> None:
    fires = observed > rule.limits[sight.tier]
    fires_at_base = observed > rule.limits[0]
    if fires or fires_at_base:
        t = sight.intake.occurred_ms
        findings.append(
            Finding(rule, observed, fires=fires, fires_at_base=fires_at_base, window=window, start=start, end=t)
        )
