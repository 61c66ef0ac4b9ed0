"""What happens to a customer besides payments. Approving and lifting are signed; lowering is not."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.signature import Countersignature, Signature
from schemas.transaction import Identifier, ShortText, Text, Timestamp


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event_type"):
    """What every customer event carries. Repeats of an `event_id` are ignored."""

    event_id: Identifier
    customer_id: Identifier
    occurred_at: Timestamp
    # A person of the policy where the event is signed, else whoever or whatever reports it.
    actor: Identifier
    reason_code: ShortText = ""
    rationale: Text = ""


class EvidenceItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One document or check that the grant rests on. `reference` leads to it; it holds no personal data itself."""

    kind: Identifier
    reference: Identifier
    issued_at: Timestamp
    expires_at: Timestamp | None = None


class AdmissionApproved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="admission.approved"):
    """Grants a tier from `occurred_at` on. The approvers are the actor and everybody who countersigned."""

    tier: Identifier
    evidence: Annotated[tuple[EvidenceItem, ...], Meta(max_length=64)]
    expires_at: Timestamp
    # The first date by which the grant must have been reviewed.
    review_at: Timestamp
    signature: Signature
    countersignatures: Annotated[tuple[Countersignature, ...], Meta(max_length=16)] = ()


class DeviceRegistered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="device.registered"):
    """The customer's device is known from `occurred_at` on."""

    device_id: Identifier


class PayeeAdded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="payee.added"):
    """The customer's payee is known from `occurred_at` on."""

    payee_id: Identifier


class AccountFrozen(Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.frozen"):
    """Freezes at once, on anybody's word: a needless freeze is mended, a missed one is not."""


class AccountUnfrozen(Event, frozen=True, kw_only=True, omit_defaults=True, tag="account.unfrozen"):
    """Lifts a freeze."""

    signature: Signature
    countersignatures: Annotated[tuple[Countersignature, ...], Meta(max_length=16)] = ()


CustomerEvent = AdmissionApproved | DeviceRegistered | PayeeAdded | AccountFrozen | AccountUnfrozen
