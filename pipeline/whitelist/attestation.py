"""Another platform's word about an applicant: whether it counts, and for what. Our own screening is still due."""

from collections.abc import Collection
from typing import NamedTuple

from pipeline.policy.issuers import Issuer, IssuerKey
from pipeline.policy.model import Policy
from pipeline.whitelist.transition import Refused
from schemas.attestation import (
    Attestation,
    AttestedKind,
    Claims,
    Revocation,
    UnreadableTokenError,
    UnsignedTokenError,
    check_signature,
    holder_of,
    read_unverified,
)
from schemas.reasons import RefusalReason
from schemas.timestamps import MS_PER_SECOND, format_ms


class Attested(NamedTuple):
    """Evidence that an attestation stands in for: `reference` names it; epoch milliseconds."""

    kind: AttestedKind
    reference: str
    issued_ms: int
    expires_ms: int


class Accepted(NamedTuple):
    """An attestation that counts: who gave it, its id, the tier granted there, and the evidence it stands in for."""

    issuer: str
    attestation_id: str
    tier: str
    evidence: tuple[Attested, ...]


def accept(  # noqa: PLR0917 - what is shown, by whom, and what is known by then
    token: str,
    application_id: str,
    customer_id: str,
    policy: Policy,
    at_ms: int,
    known: Collection[str] = (),
    revoked: Collection[str] = (),
) -> Accepted | Refused:
    """Whether an attestation counts for a customer's application at a moment, and for what.

    `known` are the references of attestations on file, so that none is shown twice; `revoked` what their issuers took
    back beyond what the policy lists.
    """
    opened = _opened(token, policy, Attestation)
    if isinstance(opened, Refused):
        return opened
    said, issuer = opened
    reference = f"{said.iss}/{said.jti}"
    expires_ms = min(said.exp * MS_PER_SECOND, said.iat * MS_PER_SECOND + issuer.max_age_ms)
    audience = policy.attestations.audience if policy.attestations else ""
    if said.aud != audience:
        return Refused(RefusalReason.WRONG_AUDIENCE, f"it is for {said.aud}, we are {audience}")
    if said.application != application_id:
        return Refused(RefusalReason.WRONG_APPLICATION, f"it is for the application {said.application}")
    if said.holder != holder_of(audience, application_id, customer_id):
        return Refused(RefusalReason.WRONG_CUSTOMER, f"it is not for {customer_id}")
    if said.iat * MS_PER_SECOND > at_ms + policy.skew_ms:
        return Refused(RefusalReason.EVIDENCE_FROM_THE_FUTURE, f"issued at {format_ms(said.iat * MS_PER_SECOND)}")
    if expires_ms <= at_ms:
        return Refused(RefusalReason.EVIDENCE_EXPIRED, f"it counted until {format_ms(expires_ms)}")
    if said.jti in issuer.revoked or reference in revoked:
        return Refused(RefusalReason.ATTESTATION_REVOKED, reference)
    if reference in known:
        return Refused(RefusalReason.ATTESTATION_REPLAYED, reference)
    evidence = tuple(
        Attested(item.kind, reference, item.issued * MS_PER_SECOND, min(expires_ms, ends_ms))
        for item in said.evidence
        if item.kind in issuer.evidence
        and (ends_ms := expires_ms if item.expires is None else item.expires * MS_PER_SECOND) > at_ms
        and item.issued <= said.iat
    )
    if not evidence:
        told = ", ".join(item.kind for item in said.evidence)
        return Refused(RefusalReason.NO_EVIDENCE, f"{said.iss} attests {told}, and counts for {_listed(issuer)}")
    return Accepted(said.iss, said.jti, said.tier, evidence)


def revoked_by(token: str, policy: Policy) -> frozenset[str] | Refused:
    """The references of the attestations that a revocation takes back, if its issuer signed it."""
    opened = _opened(token, policy, Revocation)
    if isinstance(opened, Refused):
        return opened
    return frozenset(f"{opened[0].iss}/{jti}" for jti in opened[0].revoked)


def _opened(token: str, policy: Policy, kind: type[Claims]) -> tuple[Claims, Issuer] | Refused:
    try:
        said, key_id = read_unverified(token, kind)
    except UnreadableTokenError as error:
        return Refused(RefusalReason.NOT_AN_ATTESTATION, str(error))
    issuers = policy.attestations.issuers if policy.attestations else ()
    issuer = next((one for one in issuers if one.name == said.iss), None)
    if issuer is None:
        return Refused(RefusalReason.UNKNOWN_ISSUER, said.iss)
    key = _key(issuer, key_id, said.iat * MS_PER_SECOND)
    if isinstance(key, Refused):
        return key
    try:
        check_signature(token, key.key)
    except UnsignedTokenError as error:
        return Refused(RefusalReason.BAD_SIGNATURE, f"of {issuer.name} with key {key_id}: {error}")
    return said, issuer


def _key(issuer: Issuer, key_id: str, issued_ms: int) -> IssuerKey | Refused:
    key = next((one for one in issuer.keys if one.id == key_id), None)
    if key is None:
        return Refused(RefusalReason.UNKNOWN_ISSUER_KEY, f"{issuer.name} has no key {key_id}")
    if not key.from_ms <= issued_ms < key.until_ms:
        span = f"from {format_ms(key.from_ms)} until {format_ms(key.until_ms)}"
        return Refused(RefusalReason.UNKNOWN_ISSUER_KEY, f"{key_id} of {issuer.name} stands {span}")
    return key


def _listed(issuer: Issuer) -> str:
    return ", ".join(issuer.evidence)
