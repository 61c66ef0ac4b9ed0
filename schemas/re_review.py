"""A request that a person looks at a customer's grant again, and its reminders."""

from typing import Literal

from msgspec import Struct

from schemas.transaction import Timestamp

Why = Literal[
    "periodic",
    "limit_breach",
    "suspicious_activity",
    "limit_change",
    "identity_mismatch",
    "call_back_doubt",
    "screening_hit",
    "evidence_worsened",
    "contact_changed",
    "overtaken",
    "evidence_expiring",
    "policy_tightened",
    "screening_list_changed",
    "attestation_revoked",
    "dormant",
    "credential_changed",
    "second_factor_failed",
    "profile_shift",
]
Measure = Literal["amount_7d", "count_7d", "new_payees_7d", "new_devices_7d"]


class Departure(Struct, frozen=True, kw_only=True):
    """How seven days left the customer's own profile: what was seen in them, above the limit that the weeks before set.

    The seven days end before `until`, the `earlier` weeks of seven days before that, the newest first; sums are base
    minor units. Whoever has the transactions can count again.
    """

    measure: Measure
    until: Timestamp
    observed: int
    limit: int
    earlier: tuple[int, ...]


class ReReview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Periodic, or for cause; a reminder repeats the `request_id`. Past `grace_until` the tier falls by itself."""

    request_id: str
    kind: Literal["request", "reminder"]
    customer_id: str
    tier: str
    why: Why
    # What to look at, most important first: rule names for a cause, kinds of evidence for a periodic review, the terms
    # that a policy tightened.
    check: tuple[str, ...]
    requested_at: Timestamp
    due_at: Timestamp
    # Absent for a review for cause: only an overdue periodic review demotes.
    grace_until: Timestamp | None = None
    decision_id: str = ""
    alert_id: str = ""
    # What a profile shift was found in.
    departures: tuple[Departure, ...] = ()
