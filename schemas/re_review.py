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
]


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
