"""A payment that was judged, and waits for a model to be asked about all of its unit of work."""

from mypy_extensions import mypyc_attr

from pipeline.assess import Assessed
from pipeline.plan import Plan
from pipeline.validate import Intake


@mypyc_attr(acyclic=True)
class Waiting:
    """A payment whose decision is the message at `place`; `judged` is None where that is plain."""

    __slots__ = ("intake", "judged", "key", "place", "plan")

    def __init__(self, place: int, key: bytes, intake: Intake, plan: Plan, judged: Assessed | None) -> None:
        """Keep what is asked for later."""
        self.place = place
        self.key = key
        self.intake = intake
        self.plan = plan
        self.judged = judged
