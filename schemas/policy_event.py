"""The life of a policy: proposed, approved or rejected, rolled back, quietened for hours. The topic keeps it all."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from schemas.signature import Signature
from schemas.transaction import Identifier, ShortText, Text, Timestamp

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the policy's YAML bytes, hex.")]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class PolicyMessage(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event_type"):
    """What every policy event carries. `policy` is the policy's name, the record's key."""

    event_id: Identifier
    policy: Identifier
    occurred_at: Timestamp
    actor: Identifier
    reason_code: ShortText = ""
    rationale: Text = ""


class PolicyInitial(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.initial"):
    """The hash of the first policy, the file a worker was started with: said by the worker, grants nothing."""

    version: Version
    digest: Digest


class PolicyProposed(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.proposed"):
    """A new version as its YAML text; the digest of the text's UTF-8 bytes names it from here on."""

    version: Version
    # The version in force when the proposal was written: it is stale once another has taken its place.
    base_digest: Digest
    yaml: Annotated[str, Meta(min_length=1, max_length=512 * 1024)]
    signature: Signature


class PolicyApproved(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.approved"):
    """One person's approval; each of the people the policy asks for publishes one."""

    digest: Digest
    effective_from: Timestamp
    signature: Signature


class PolicyRejected(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.rejected"):
    """Closes a proposal; one person suffices."""

    digest: Digest
    signature: Signature


class PolicyRolledBack(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.rolled_back"):
    """One person's approval of going back to a version that was once in force."""

    digest: Digest
    effective_from: Timestamp
    signature: Signature


class GlassBroken(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.glass_broken"):
    """One engineer on call sets rules to shadow, or withholds all account actions, until a time not far off."""

    rules: Annotated[tuple[Identifier, ...], Meta(max_length=64)] = ()
    observe_only: bool = False
    until: Timestamp
    signature: Signature


class GlassMended(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.glass_mended"):
    """Ends a `policy.glass_broken` early; `broken` is its event_id."""

    broken: Identifier
    signature: Signature


class GlassReviewed(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="policy.glass_reviewed"):
    """A second person's word, afterwards, on a `policy.glass_broken`; `broken` is its event_id."""

    broken: Identifier
    finding: Literal["justified", "not_justified"]
    signature: Signature


class ScreeningListChanged(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="screening_list.changed"):
    """The lists that customers are screened against changed: all of them are screened again, spread over days."""

    list_version: ShortText
    signature: Signature


class AttestationRevoked(PolicyMessage, frozen=True, kw_only=True, omit_defaults=True, tag="attestation.revoked"):
    """An issuer has taken attestations back: its signed revocation, passed on by one of ours."""

    token: Annotated[str, Meta(min_length=1, max_length=16_384, description="A compact JWS, EdDSA.")]
    signature: Signature


SignedPolicyEvent: TypeAlias = (
    PolicyProposed
    | PolicyApproved
    | PolicyRejected
    | PolicyRolledBack
    | GlassBroken
    | GlassMended
    | GlassReviewed
    | ScreeningListChanged
    | AttestationRevoked
)
# What a worker says of its first policy asks for nothing, so nobody signs it.
PolicyEvent: TypeAlias = PolicyInitial | SignedPolicyEvent
