"""Who signed an event. What is signed, and how, stands in `signing.py`."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.transaction import Identifier

# Ed25519: 64 bytes, standard base64.
SignatureValue = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9+/]{86}==$",
        description="Base64 of Ed25519 over the RFC 8785 JSON of all fields but `signature`, `countersignatures`.",
    ),
]


class Signature(Struct, frozen=True, kw_only=True):
    """By the event's `actor`, with the key that the policy in force lists for that person under `key_id`."""

    key_id: Identifier
    value: SignatureValue


class Countersignature(Struct, frozen=True, kw_only=True):
    """By one more person, over the very same bytes as the `signature`."""

    person: Identifier
    key_id: Identifier
    value: SignatureValue
