"""What waits for signatures, and who may give them: two names typed by one hand are not four eyes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pipeline.policy.model import Person, Policy
from schemas.reasons import RefusalReason as Reason
from schemas.signature import Signature
from schemas.signing import verify


class Refusal(NamedTuple):
    """Why an event changed nothing; `detail` says to its sender what does not fit."""

    reason: Reason
    detail: str = ""


class Signer(NamedTuple):
    """A person of the policy, and the key that the person signed with."""

    person: Person
    key: bytes


@dataclass
class Signing:
    """A version that waits for signatures: `signed` is a person's name to the key that signed."""

    policy: Policy
    signed: dict[str, bytes] = field(default_factory=dict)
    effective_ms: int = 0

    def sign(self, signer: Signer, effective_ms: int, in_force: Policy) -> Refusal | None:
        """Add a signature; it takes effect no sooner than any of the signers said."""
        if not may_approve(signer.person, in_force):
            return not_authorised(signer.person, in_force)
        if signer.person.name in self.signed or signer.key in self.signed.values():
            return Refusal(Reason.SAME_PERSON_TWICE, f"{signer.person.name} has signed")
        self.signed[signer.person.name] = signer.key
        self.effective_ms = max(self.effective_ms, effective_ms)
        return None

    def missing(self, in_force: Policy) -> int:
        """How many signatures are missing. Somebody who signed may have lost the role or the key meanwhile."""
        able = sum(
            may_approve(person, in_force) and self.signed.get(person.name) in person.keys.values()
            for person in in_force.people
        )
        return max(0, in_force.policy_approvals - able)


@dataclass
class Proposal:
    """A new version, on the base of the one approved last: once another takes its place, the proposal is stale."""

    signing: Signing
    base_digest: str
    proposer: str
    decided: Literal["approved", "rejected"] | None = None


def signer_of(actor: str, signature: Signature, raw_fields: Mapping[str, Any], policy: Policy) -> Signer | Refusal:
    """The person who signed an event, one of the policy's people."""
    person = next((person for person in policy.people if person.name == actor), None)
    if person is None:
        return Refusal(Reason.UNKNOWN_PERSON, f"{actor} is not in the policy's people")
    key = person.keys.get(signature.key_id)
    if key is None:
        return Refusal(Reason.UNKNOWN_KEY, f"{person.name} has no key {signature.key_id} in the policy")
    if not verify(key, raw_fields, signature.value):
        return Refusal(Reason.BAD_SIGNATURE, f"the signature of {person.name} with key {signature.key_id}")
    return Signer(person, key)


def may_approve(person: Person, policy: Policy) -> bool:
    """Whether the person's signature counts for a change of the policy."""
    return not set(person.roles).isdisjoint(policy.policy_approver_roles)


def not_authorised(person: Person, policy: Policy) -> Refusal:
    """Say which roles the person lacks."""
    roles = ", ".join(policy.policy_approver_roles)
    return Refusal(Reason.NOT_AUTHORISED, f"{person.name} has none of the roles {roles}")
