"""The plan of the policy in force, made when its time comes."""

from pipeline.books import Books
from pipeline.plan import Plan
from pipeline.policy.sweeps import Sweep


class Plans:
    """Gives the plan for an arrival; arrivals mostly fall into one policy's time, so that is looked up once a unit."""

    def __init__(self, books: Books) -> None:
        """Begin with the first policy."""
        self._books = books
        # For arrivals from the one time until before the other.
        self._plan = Plan(books.policies.in_force(0))
        self._from_ms = self._until_ms = 0

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """What asks many for one cause, as far as it is known by now."""
        return self._books.policies.sweeps

    def look_again(self) -> None:
        """Forget until when the policy is in force: another may have been approved."""
        self._until_ms = self._from_ms

    def at(self, arrival_ms: int) -> Plan:
        """The plan of the policy in force for an arrival, with the model it names, where that is known."""
        if not self._from_ms <= arrival_ms < self._until_ms:
            policy, self._from_ms, self._until_ms = self._books.policies.reign(arrival_ms)
            model = self._books.models.of(policy)
            if policy is not self._plan.policy or model is not self._plan.model:
                self._plan = Plan(policy, model)
        return self._plan
