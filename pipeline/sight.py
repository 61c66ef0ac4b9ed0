"""What judging may see: the customer as of just before the transaction, the transaction, and what is in force."""

from mypy_extensions import mypyc_attr

from pipeline.entities.risks import Risks
from pipeline.history import History
from pipeline.lists import Lists
from pipeline.plan import Plan, PlannedRule
from pipeline.validate import Intake
from pipeline.whitelist.dossier import Dossier
from schemas.decision import PointsPart


@mypyc_attr(acyclic=True)
class Sight:
    """Handed to every rule. `tier` is the rank of the tier in force at the arrival, 0 for the base tier."""

    __slots__ = ("bit", "dossier", "frozen", "history", "intake", "lists", "plan", "risks", "tier")

    def __init__(  # noqa: PLR0917 - all that judging may see
        self, history: History, dossier: Dossier, lists: Lists, risks: Risks, intake: Intake, plan: Plan, tier: int
    ) -> None:
        """Put together what a rule needs."""
        self.history = history
        self.dossier = dossier
        self.lists = lists
        self.risks = risks
        self.intake = intake
        self.plan = plan
        self.tier = tier
        self.frozen = dossier.frozen
        self.bit = 1 << intake.type_index


def is_unnoticed(intake: Intake, plan: Plan, *, frozen: bool) -> bool:
    """Whether no rule about a transaction by itself can find anything, at whatever tier: so it is with most."""
    return not frozen and intake.base_minor <= plan.unnoticed_minor[intake.type_index]


def has_room(history: History, intake: Intake, plan: Plan) -> bool:
    """Whether no velocity limit can be passed, at whatever tier: so it is with most transactions."""
    return not plan.velocity_mask >> intake.type_index & 1 or history.headroom.holds(intake, plan)


def has_room_in_hour(history: History, intake: Intake, plan: Plan) -> bool:
    """Whether there can be no burst: so it is with most transactions."""
    return not plan.burst_mask >> intake.type_index & 1 or history.headroom.holds_in_hour(intake, plan)


@mypyc_attr(acyclic=True)
class Finding:
    """What a rule saw go past a limit: at the customer's tier (`fires`), at the base tier (`fires_at_base`), or both.

    `start` and `end` bound the window looked at, both included, epoch ms; `end` is a later moment than the
    transaction's own only where a late arrival breaks a limit there (`retroactive`). Without a window the evidence is
    the transaction; where `refs` names entries of the log, oldest first, it is those and the transaction. `limit` is
    what was passed where that is not the tier's limit, `about` what a list names, `parts` what points are made of.
    """

    __slots__ = (
        "about", "end", "fires", "fires_at_base", "limit", "mask", "observed", "parts", "refs", "retroactive", "rule",
        "start", "window",
    )  # fmt: skip

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
        self.limit = -1
        self.about = ""
        self.parts: tuple[PointsPart, ...] = ()
        self.refs: tuple[int, ...] | None = None
