"""A transaction on a frozen account: the freeze did not reach the processor, or somebody works around it.

False alarms: none that a rule could avoid; a freeze that should not be there is lifted by two people.

Example: the fraud desk freezes an account at eight, and at nine a processor that has not heard of it authorises 12.00.
"""

from pipeline.sight import Finding, Sight


def find(sight: Sight, findings: list[Finding]) -> None:
    """Fires on every transaction that takes money while a freeze is in force; no tier buys it off."""
    if not sight.frozen:
        return
    rule = sight.plan.account_frozen
    if rule is not None and rule.mask & sight.bit:
        findings.append(Finding(rule, 1, fires=True, fires_at_base=True))
