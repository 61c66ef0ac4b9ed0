"""What judging may see: the customer as of just before the transaction, the transaction, and what is in force."""

from mypy_extensions import mypyc_attr

from pipeline.history import History
from pipeline.plan import Plan, PlannedRule
from pipeline.validate import Intake


@mypyc_attr(acyclic=True)
class Sight:
    """Handed to every rule. `tier` is the rank of the tier in force at the arrival, 0 for the base tier."""

    __slots__ = ("bit", "frozen", "history", "intake", "plan", "tier")

    def __init__(self, history: History, intake: Intake, plan: Plan, tier: int, *, frozen: bool) -> None:
        """Put together what a rule needs."""
        self.history = history
        self.intake = intake
        self.plan = plan
        self.tier = tier
        self.frozen = frozen
        self.bit = 1 << intake.type_index


def is_calm(history: History, intake: Intake, plan: Plan, *, frozen: bool) -> bool:
    """Whether no rule can find anything, at whatever tier: so it is with most transactions."""
    type_index = intake.type_index
    return (
        not frozen
        and intake.base_minor <= plan.unnoticed_minor[type_index]
        and (not plan.velocity_mask >> type_index & 1 or history.headroom.holds(intake, plan))
    )


@mypyc_attr(acyclic=True)
class Finding:
    """What a rule saw go past a limit: at the customer's tier (`fires`), at the base tier (`fires_at_base`), or both.

    `start` and `end` bound the window looked at, both included, epoch ms; `end` is a later moment than the
    transaction's own only where a late arrival breaks a limit there (`retroactive`). Without a window the evidence is
    the transaction.
    """

    __slots__ = ("end", "fires", "fires_at_base", "mask", "observed", "retroactive", "rule", "start", "window")

    def __init__(
        self,
        rule: PlannedRule,
        observed: int,
        *,
        fires: bool,
        fires_at_base: bool,
        window: str = "",
        start: int = 0,
        end: int = 0,
        retroactive: bool = False,
    ) -> None:
        """Note what was seen."""
        self.rule = rule
        self.observed = observed
        self.fires = fires
        self.fires_at_base = fires_at_base
        self.window = window
        self.mask = rule.mask
        self.start = start
        self.end = end
        self.retroactive = retroactive
