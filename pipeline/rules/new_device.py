"""A large amount from a device that this customer has not used before, or only for a short while: take-over.

False alarms: everybody's new telephone. A step-up settles it, and the device is known after `new_for`.

Example: 900.00 from a tablet that was first seen an hour ago; the tier allows 500.00 from a new device.
"""

from pipeline.sight import Finding, Sight


def find(sight: Sight, findings: list[Finding]) -> None:
    """Fires when the amount is above the limit and the device was first seen less than `new_for` before, or never."""
    rule = sight.plan.new_device
    device = sight.intake.device_id
    if rule is None or not device or not rule.mask & sight.bit or sight.intake.declined:
        return
    amount = sight.intake.base_minor
    fires = amount > rule.limits[sight.tier]
    fires_at_base = amount > rule.limits[0]
    if not (fires or fires_at_base):
        return
    if sight.history.devices.is_new(device, sight.intake.occurred_ms, rule.new_for_ms):
        findings.append(Finding(rule, amount, fires=fires, fires_at_base=fires_at_base))
