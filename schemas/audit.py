"""Who did what, and why it took effect or not: written by the worker that owns the subject, never by a command."""

from typing import Literal

from msgspec import Struct

from schemas.reasons import RefusalReason
from schemas.transaction import Timestamp


class AuditEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One for each event that asked for a change, and for each change the review clock made by itself."""

    entry_id: str
    # The customer, or the policy's name: the record's key.
    subject: str
    # The event's type, or the clock's act: `review.demoted`, `grant.expired`.
    what: str
    actor: str
    result: Literal["applied", "refused", "duplicate"]
    # The arrival of the event, or the clock of the tick.
    at: Timestamp
    event_id: str = ""
    reason: RefusalReason | None = None
    detail: str = ""
    # The hash chain this entry stands in: that of the partition's customers, or `policies`.
    chain: str = ""
    # Its place there, from 1; and the SHA-256 of the bytes of the entry before it, hex: empty for the first.
    sequence: int = 0
    previous: str = ""
