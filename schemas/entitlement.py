"""What is in force for a customer now: processors choose the lane and the verification steps from it."""

from msgspec import Struct

from schemas.decision import Lane
from schemas.transaction import Timestamp


class Used(Struct, frozen=True, kw_only=True):
    """What one window holds, in base minor units or a count, and when its oldest entry leaves it."""

    used: int
    frees_at: Timestamp


class Usage(Struct, frozen=True, kw_only=True):
    """What is used of each limit, by rule, as of the last payment: the read model's, between two entitlements."""

    customer_id: str
    as_of: Timestamp
    used: dict[str, Used]


class Entitlement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Holds from `as_of` until the next message for the customer. `limits`: base minor units, or a count, by rule."""

    customer_id: str
    as_of: Timestamp
    tier: str
    limits: dict[str, int]
    fee_bps: int
    authentication: str
    lane: Lane
    service_channel: str
    frozen: bool
    base_currency: str
    policy_version: int
    policy_hash: str
    # Of the grant; absent at the base tier, which is the absence of a grant.
    granted_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    review_at: Timestamp | None = None
    grace_until: Timestamp | None = None
    suspended: bool = False
    # Since when behaviour that left the customer's own profile has lowered trust: `authentication` is the base tier's.
    # For the bank alone: it might tip off a suspect.
    trust_lowered_at: Timestamp | None = None
    # Until when limits that are not the tier's hold, and which rules ask for nothing, by rule.
    limits_until: dict[str, Timestamp] = {}
    suppressed_until: dict[str, Timestamp] = {}
    # Of each limit, as of `as_of`; what is not named is unused. The read model keeps it up to date between messages.
    used: dict[str, Used] = {}
