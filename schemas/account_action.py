"""What the bank's core system is asked to do. We watch beside the authorisation path, so every action is a request."""

from typing import Literal

from msgspec import Struct

from schemas.transaction import Timestamp

Action = Literal["freeze", "unfreeze", "step_up", "hold", "limit_change", "tier_change", "recall", "release"]
Because = Literal[
    "limit_breach",
    "suspicious_activity",
    "admission_approved",
    "review_overdue",
    "grant_expired",
    "account_frozen",
    "account_unfrozen",
    "tier_suspended",
    "tier_reinstated",
    "tier_removed",
    "screening_completed",
    "limit_changed",
    "temporary_limit_ended",
    "second_factor_failed",
    "profile_shift",
    "customer_confirmed",
    "customer_denied",
]


class AccountAction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request; a repeat of an `action_id` asks for nothing new."""

    action_id: str
    action: Action
    customer_id: str
    because: Because
    requested_at: Timestamp
    decision_id: str = ""
    # Of the event that asked for it, where it was not a decision.
    event_id: str = ""
    tier_from: str = ""
    tier_to: str = ""
