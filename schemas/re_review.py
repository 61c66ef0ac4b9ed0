"""A request that a person looks at a customer's grant again, and its reminders."""

from typing import Literal

from msgspec import Struct

from schemas.transaction import Timestamp

Why = Literal[
    "periodic",
    "limit_breach",
    "suspicious_activity",
    "account_frozen",
    "chargeback",
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


class FiledSince(Struct, frozen=True, kw_only=True):
    """A check that was filed since the last review: its kind, and what leads to it."""

    kind: str
    reference: str
    filed_at: Timestamp


class Since(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened since the last review, as far as the whitelist remembers it; the grant was given `since` then."""

    since: Timestamp
    filed: tuple[FiledSince, ...] = ()
    # When a rule last alerted, and when trust was lowered.
    alerted_at: Timestamp | None = None
    trust_lowered_at: Timestamp | None = None
    # Payments of the last 30 days; payments of the last year that were found to be fraud.
    transactions_30d: int = 0
    chargebacks: int = 0


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
    # Absent where there is no grant yet, and where the decision says what happened.
    since_review: Since | None = None
    # What a profile shift was found in.
    departures: tuple[Departure, ...] = ()
