"""How much a customer may still do before any velocity limit could be passed: most transactions are judged by this.

Found when all windows are looked at, derived only: it is never kept, and nothing that is said depends on it.
"""

from mypy_extensions import mypyc_attr

from pipeline.plan import Plan
from pipeline.validate import Intake


@mypyc_attr(acyclic=True)
class Headroom:
    """For every moment from `since_ms` on: what may be added to every window under the plan, at the lowest limits.

    It stays true without another look because, as time goes by, a window only loses what it held: entries leave it,
    and reversals take from it. All that is added, of whatever type, is taken from the headroom.
    """

    __slots__ = ("_amount_minor", "_count", "_hour_count", "_hour_plan", "_hour_since_ms", "_plan", "_since_ms")

    def __init__(self) -> None:
        """None is known of."""
        self._plan: Plan | None = None
        self._since_ms = 0
        self._amount_minor = 0
        self._count = 0
        # Before the hour could hold a burst: found by itself, as it costs far less than all windows.
        self._hour_plan: Plan | None = None
        self._hour_since_ms = 0
        self._hour_count = 0

    def holds(self, intake: Intake, plan: Plan) -> bool:
        """Whether no velocity limit of any tier can be passed by this transaction, at its own moment or later."""
        return (
            self._plan is plan
            and intake.occurred_ms >= self._since_ms
            and self._count > 0
            and (intake.declined or intake.base_minor <= self._amount_minor)
        )

    def holds_in_hour(self, intake: Intake, plan: Plan) -> bool:
        """Whether no burst can end with this transaction, or with one later."""
        return self._hour_plan is plan and self._hour_count > 0 and intake.occurred_ms >= self._hour_since_ms

    def take(self, amount_minor: int) -> None:
        """Note that an entry was added, wherever in time."""
        self._amount_minor -= amount_minor
        self._count -= 1
        self._hour_count -= 1

    def found(self, plan: Plan, since_ms: int, amount_minor: int, count: int) -> None:
        """Note what every window of the plan has left at `since_ms`, when nothing later is known."""
        self._plan = plan
        self._since_ms = since_ms
        self._amount_minor = amount_minor
        self._count = count

    def found_in_hour(self, plan: Plan, since_ms: int, count: int) -> None:
        """Note how many payments the hour up to `since_ms` has left before a burst, when nothing later is known."""
        self._hour_plan = plan
        self._hour_since_ms = since_ms
        self._hour_count = count
