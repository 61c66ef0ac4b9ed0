"""What a person did about a dead letter. One that has such a record is done with: it is never replayed twice."""

from typing import Literal

from msgspec import Struct

from schemas.reasons import DeadLetterReason
from schemas.transaction import Timestamp


class DeadLetterAction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`partition` and `offset` are the dead letter's own, on `dead-letters`; `actor` did it, because `why`."""

    action_id: str
    action: Literal["replayed", "discarded"]
    partition: int
    offset: int
    reason: DeadLetterReason
    actor: str
    why: str
    at: Timestamp
    # Where it was sent again.
    topic: str = ""
    # Its place in the topic's hash chain, from 1; and the SHA-256 of the bytes before it, hex: empty for the first.
    sequence: int = 0
    previous: str = ""

    @property
    def chain(self) -> str:
        """The chain it stands in: one person at a time adds to it."""
        return "dead-letters"
