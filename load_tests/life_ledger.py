"""Books of the whitelist: what the audit and the re-reviews say became of the customers, counted beside the worker."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.audit import AuditEntry
from schemas.customer_event import CustomerEvent
from schemas.dead_letter import DeadLetter

_TOPIC: Final = "customer-events"
_TYPES: Final = frozenset(str(kind.__struct_config__.tag) for kind in CustomerEvent.__args__)
# What is told of each customer before the first day and of no interest afterwards.
_OPENING: Final = frozenset({"device.registered", "payee.added"})


class Request(msgspec.Struct, frozen=True):
    """A record of `re-reviews`: a review and its reminder, or a call-back, which has no `why`."""

    kind: str = ""
    why: str = "call_back"


class LifeLedger:
    """Counts steps by their names in the audit, and requests by their cause."""

    def __init__(self) -> None:
        self.steps: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._outcomes = 0

    def audit(self, entry: AuditEntry) -> None:
        """Enter what became of an event, or what followed by itself."""
        of_event = entry.what in _TYPES
        self._outcomes += of_event
        if entry.result == "refused":
            self.refused[f"{entry.what}: {entry.reason}"] += 1
        elif not (of_event and entry.what in _OPENING):
            self.steps[entry.what] += 1

    def request(self, request: Request) -> None:
        """Enter a request for a review or a call."""
        self.requests["reminder" if request.kind == "reminder" else request.why] += 1

    def dead_letter(self, letter: DeadLetter) -> None:
        """Enter a dead letter; those of other topics are not part of these books."""
        self._outcomes += letter.topic == _TOPIC

    def problems(self, journalled: int) -> Iterator[str]:
        """Yield what does not balance: a city repeats no event, and makes none that its whitelist refuses."""
        if journalled != self._outcomes:
            yield f"{journalled} customer events taken, but {self._outcomes} of them stand on the audit or are dead"
        for what, count in self.refused.most_common():
            yield f"{count} refused, {what}"

    def summary(self) -> dict[str, dict[str, int]]:
        """Return the counts by name, for scripts."""
        return {"steps": dict(sorted(self.steps.items())), "requests": dict(sorted(self.requests.items()))}
