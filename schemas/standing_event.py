"""What happens to a grant: given, suspended, reinstated, removed; and what one customer may beside it."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.application_event import Limit
from schemas.event import Event, EvidenceItem, SignedEvent
from schemas.transaction import Identifier, Timestamp


class AdmissionApproved(SignedEvent, frozen=True, kw_only=True, omit_defaults=True, tag="admission.approved"):
    """Grants a tier from `occurred_at` on. The approvers are the actor and everybody who countersigned."""

    tier: Identifier
    evidence: Annotated[tuple[EvidenceItem, ...], Meta(max_length=64)]
    expires_at: Timestamp
    # The first date by which the grant must have been reviewed.
    review_at: Timestamp
    # The application that is decided; without it the grant rests on paper, or renews one.
    application_id: Identifier | None = None


class TierSuspended(Event, frozen=True, kw_only=True, omit_defaults=True, tag="tier.suspended"):
    """Back to the base tier at once, on one person's word, until it is reinstated."""


class TierReinstated(SignedEvent, frozen=True, kw_only=True, omit_defaults=True, tag="tier.reinstated"):
    """Ends a suspension: takes the approvals of the tier."""


class TierRemoved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="tier.removed"):
    """Takes the grant away for good, on one person's word; another takes another approval."""


class LimitChangeRequested(Event, frozen=True, kw_only=True, omit_defaults=True, tag="limit.change_requested"):
    """The customer asks for a limit of their own: a lower one holds at once, a higher one is looked at."""

    rule: Identifier
    limit: Limit
    # A temporary one ends by itself.
    until: Timestamp | None = None


class LimitChangeApproved(SignedEvent, frozen=True, kw_only=True, omit_defaults=True, tag="limit.change_approved"):
    """Gives one customer a limit above the tier's, within its ceiling."""

    rule: Identifier
    limit: Limit
    until: Timestamp | None = None


class SuppressionApproved(SignedEvent, frozen=True, kw_only=True, omit_defaults=True, tag="suppression.approved"):
    """What one rule finds asks for nothing until then; it is still counted and stands on every decision."""

    rule: Identifier
    until: Timestamp
    grounds: Literal["travel_notice", "announced_payment"]


class SuppressionEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="suppression.ended"):
    """Ends a suppression before its time, on one person's word."""

    rule: Identifier


class DeviceRegistered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="device.registered"):
    """The customer's device is known from `occurred_at` on."""

    device_id: Identifier


class PayeeAdded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="payee.added"):
    """The customer's payee is known from `occurred_at` on."""

    payee_id: Identifier


class AccountFrozen(Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.frozen"):
    """Freezes at once, on anybody's word: a needless freeze is mended, a missed one is not."""


class CustomerConfirmed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="customer.confirmed"):
    """Asked whether a payment was theirs, the customer said yes. It is named as its processor did."""

    source: Annotated[str, Meta(min_length=1, max_length=256)]
    transaction_id: Identifier


class CustomerDenied(Event, frozen=True, kw_only=True, omit_defaults=True, tag="customer.denied"):
    """Asked whether a payment was theirs, the customer said no."""

    source: Annotated[str, Meta(min_length=1, max_length=256)]
    transaction_id: Identifier


class AccountUnfrozen(SignedEvent, frozen=True, kw_only=True, omit_defaults=True, tag="account.unfrozen"):
    """Lifts a freeze."""
