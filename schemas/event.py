"""What every customer event carries, and the evidence that some of them bring."""

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


class SignedEvent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An event that raises: the approvers are the actor and everybody who countersigned."""

    signature: Signature
    countersignatures: Annotated[tuple[Countersignature, ...], Meta(max_length=16)] = ()


class EvidenceItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One document or check that the grant rests on. `reference` leads to it; it holds no personal data itself."""

    kind: Identifier
    reference: Identifier
    issued_at: Timestamp
    expires_at: Timestamp | None = None
