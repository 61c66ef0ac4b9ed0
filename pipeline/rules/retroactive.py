"""Retroactive breach: a transaction that arrives late breaks a velocity limit at a moment after its own.

False alarms: those of the velocity limits, told late. Nothing that was decided changes.

Example: a payment of 800.00 from ten o'clock arrives at noon; with it, the hour until half past ten held too much.
"""

from pipeline.plan import PlannedRule, Velocity
from pipeline.sight import Finding, Sight


def find(sight: Sight, findings: list[Finding]) -> None:
    """Fires at the first later moment at which a limit that was not broken there breaks; decisions made do not change.

    A limit that this transaction already breaks at its own time has its signal, and gets no second one.
    """
    intake = sight.intake
    if intake.occurred_ms >= sight.history.newest_ms:
        return
    for velocity in [
        velocity for group in sight.plan.velocities if group.mask & sight.bit for velocity in group.velocities
    ]:
        if velocity.amount is not None and not intake.declined:
            _judge(sight, findings, velocity, velocity.amount, counted=False)
        if velocity.count is not None:
            _judge(sight, findings, velocity, velocity.count, counted=True)


def _judge(sight: Sight, findings: list[Finding], velocity: Velocity, rule: PlannedRule, *, counted: bool) -> None:
    own = next((finding for finding in findings if finding.rule is rule), None)
    at_tier = (
        None if own is not None and own.fires else _first_breach(sight, velocity, rule.limits[sight.tier], counted)
    )
    at_base = at_tier
    if rule.limits[0] != rule.limits[sight.tier]:
        broken = own is not None and own.fires_at_base
        at_base = None if broken else _first_breach(sight, velocity, rule.limits[0], counted)
    for breach, fires in ((at_tier, True), (at_base, False)):
        if breach is None or (not fires and at_base is at_tier):
            continue
        moment, observed = breach
        findings.append(
            Finding(
                rule,
                observed,
                fires=fires,
                fires_at_base=not fires or at_base is at_tier,
                window=velocity.name,
                start=velocity.window.start(moment) or 0,
                end=moment,
                retroactive=True,
            )
        )


def _first_breach(sight: Sight, velocity: Velocity, limit: int, counted: bool) -> tuple[int, int] | None:  # noqa: FBT001
    intake = sight.intake
    timeline = sight.history.timeline(velocity.mask)
    return timeline.first_breach(velocity.window, intake.occurred_ms, intake.base_minor, limit, counted)
