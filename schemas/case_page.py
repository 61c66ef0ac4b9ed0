"""What whoever is on call has heard of a case: a pager that starts anew goes on from there."""

from typing import Literal

from msgspec import Struct

from schemas.transaction import Timestamp


class CasePage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest message of a `case_id` holds. `receivers` are those that took it."""

    case_id: str
    # What was told: whether the case is open, how loud, and who has it.
    said: str
    loudness: Literal["page", "ticket"]
    at: Timestamp
    receivers: tuple[str, ...]
    # It was one of too many at once, or of a backlog: this page stood for all of them.
    summary: str = ""
