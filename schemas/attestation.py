"""What one platform says to another about a customer: a compact JWS (RFC 7515), EdDSA over Ed25519, no personal data.

It names no customer. `application` is the applicant's application at the audience, and `holder` a digest of it and of
the customer's id there: who shows it for another shows somebody else's. Times are seconds since 1970, as in every JWT.
"""

from hashlib import sha256
from typing import Annotated, Literal, TypeVar

import msgspec
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt import PyJWS
from jwt.exceptions import PyJWTError
from msgspec import Meta, Struct

from schemas.transaction import Identifier

_ALGORITHM = "EdDSA"
_JWS = PyJWS(algorithms=[_ALGORITHM])
# A token of one type is never read as the other (RFC 8725, 3.11).
_TYPES = {"Attestation": "tierwatch-attestation+jwt", "Revocation": "tierwatch-revocation+jwt"}
_MOST_CHARACTERS = 16 * 1024

Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]
AttestedKind = Literal["identity", "credit", "source_of_funds"]


class AttestedEvidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check that the issuer made: its kind and when, never what it found."""

    kind: AttestedKind
    issued: Seconds
    expires: Seconds | None = None


class Attestation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The issuer's word: the tier it has granted, and on which kinds of evidence."""

    iss: Identifier
    aud: Identifier
    jti: Identifier
    iat: Seconds
    exp: Seconds
    application: Identifier
    holder: Identifier
    tier: Identifier
    evidence: Annotated[tuple[AttestedEvidence, ...], Meta(min_length=1, max_length=16)]


class Revocation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The issuer takes attestations back, by their `jti`."""

    iss: Identifier
    iat: Seconds
    revoked: Annotated[tuple[Identifier, ...], Meta(min_length=1, max_length=1_000)]


Claims = TypeVar("Claims", Attestation, Revocation)


def holder_of(audience: str, application: str, customer_id: str) -> str:
    """Whose it is: the SHA-256, in 64 hex digits, of the RFC 8785 JSON array of audience, application and customer.

    With the application in it, two attestations for one customer have nothing in common.
    """
    return sha256(rfc8785.dumps([audience, application, customer_id])).hexdigest()


class UnreadableTokenError(ValueError):
    """The text is no token of the kind asked for; the message says what is wrong."""


class UnsignedTokenError(ValueError):
    """The signature does not fit the key."""


def seal(claims: Attestation | Revocation, private_key: bytes, key_id: str) -> str:
    """The token of these claims; `private_key` is the 32 bytes of an Ed25519 key."""
    headers = {"typ": _TYPES[type(claims).__name__], "kid": key_id}
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    return _JWS.encode(msgspec.json.encode(claims), key, algorithm=_ALGORITHM, headers=headers)


def read_unverified(token: str, kind: type[Claims]) -> tuple[Claims, str]:
    """What a token claims, and the id of the key it names: to find the key by, and to believe nothing yet.

    Raises:
        UnreadableTokenError: it is no token of that kind.

    """
    try:
        if len(token) > _MOST_CHARACTERS:
            raise UnreadableTokenError(f"more than {_MOST_CHARACTERS} characters")
        parts = _JWS.decode_complete(token, options={"verify_signature": False})
        header = parts["header"]
        if header.get("typ") != _TYPES[kind.__name__] or not isinstance(header.get("kid"), str):
            raise UnreadableTokenError(f"the header must have typ {_TYPES[kind.__name__]} and a kid")
        return msgspec.json.decode(parts["payload"], type=kind), header["kid"]
    except (PyJWTError, msgspec.DecodeError, UnicodeError) as error:
        raise UnreadableTokenError(str(error)) from error


def check_signature(token: str, public_key: bytes) -> None:
    """Verify a token that was read; `public_key` is the 32 bytes of an Ed25519 key.

    Raises:
        UnsignedTokenError: the signature does not fit, or is of another algorithm.

    """
    try:
        _JWS.decode_complete(token, Ed25519PublicKey.from_public_bytes(public_key), algorithms=[_ALGORITHM])
    except (PyJWTError, ValueError) as error:
        raise UnsignedTokenError(str(error)) from error
