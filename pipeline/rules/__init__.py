"""The rules, one idea a file: each looks at a sight and notes what went past a limit. This tuple registers them."""

from collections.abc import Callable

from pipeline.rules import account_frozen, new_device, new_payee, per_transaction, retroactive, velocity
from pipeline.sight import Finding, Sight

Rule = Callable[[Sight, list[Finding]], None]

RULES: tuple[Rule, ...] = (
    account_frozen.find,
    per_transaction.find,
    new_payee.find,
    new_device.find,
    velocity.find,
    retroactive.find,
)
