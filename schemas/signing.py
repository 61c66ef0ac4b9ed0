"""Signatures of events that approve or lift: two names typed by one hand are not four eyes.

What is signed: the fields of the event as received, unknown ones included, without `signature` and `countersignatures`
at the top level, in the canonical JSON of RFC 8785 (so spaces and the order of fields do not matter, and every value
does). Everybody signs the same bytes, each with an Ed25519 key of their own. Who the actor is, is signed; who else
countersigns is not, so that people can sign one after the other or at once.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_UNSIGNED = frozenset({"signature", "countersignatures"})


def canonical(fields: Mapping[str, Any]) -> bytes:
    """The bytes that are signed.

    Raises:
        ValueError: a number is beyond what JSON readers agree on (integers past 2^53, infinities).

    """
    return rfc8785.dumps({name: value for name, value in fields.items() if name not in _UNSIGNED})


def sign(private_key: bytes, fields: Mapping[str, Any]) -> str:
    """The `value` of a signature over an event's fields; `private_key` is the 32 bytes of an Ed25519 key.

    Raises:
        ValueError: not a key, or fields without a canonical form.

    """
    return b64encode(Ed25519PrivateKey.from_private_bytes(private_key).sign(canonical(fields))).decode()


def verify(public_key: bytes, fields: Mapping[str, Any], value: str) -> bool:
    """Whether `value` was made over these fields with the private half of `public_key` (32 bytes).

    Anything that is no signature, no key, or over fields that have no canonical form, is simply not valid.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(b64decode(value, validate=True), canonical(fields))
    except (InvalidSignature, ValueError):
        return False
    return True
