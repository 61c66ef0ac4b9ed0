"""How far an application is, for the customer: each step, what is needed, what was decided, and what comes next."""

from typing import Literal

from msgspec import Struct

from schemas.transaction import Timestamp

Step = Literal[
    "being_assessed",
    "supplements_needed",
    "call_back_due",
    "awaiting_decision",
    "granted",
    "declined",
    "withdrawn",
    "lapsed",
]


class Needed(Struct, frozen=True, kw_only=True):
    """One thing that is missing: its name, why what is there does not do, and by when it is needed."""

    what: str
    why: Literal["missing", "expired", "below_criteria"]
    by: Timestamp


class ApplicationStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Holds from `as_of` until the next for the application. It never tells what would tip off a suspect."""

    customer_id: str
    application_id: str
    as_of: Timestamp
    step: Step
    # What was asked for, its fee in basis points, and what it brings with it.
    tier: str
    fee_bps: int
    risks: tuple[str, ...]
    needed: tuple[Needed, ...] = ()
    # The highest tier that the evidence on file carries, where that is less than was asked for.
    carried: str = ""
    # By when the next step is taken, or the application lapses.
    next_by: Timestamp | None = None
    # Why it was decided so.
    reason_code: str = ""
