"""The life of the policy: what is proposed, who signed it, what is in force when.

A pure function of the events in the order of their arrival: every worker that reads the topic to its end has the same
book. What each event needs is checked under the policy in force at its arrival.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from pipeline.policy.load import PolicyError, load_policy, policy_digest
from pipeline.policy.model import Person, Policy
from pipeline.policy.versions import Versions
from schemas.codec import encode
from schemas.policy_event import (
    PolicyApproved,
    PolicyEvent,
    PolicyInitial,
    PolicyProposed,
    PolicyRejected,
    PolicyRolledBack,
)
from schemas.reasons import RefusalReason as Reason
from schemas.signing import verify
from schemas.timestamps import MS_PER_SECOND, parse_ms

# An approval takes effect no sooner than this after its arrival, so that all workers have read it by then.
SETTLE_MS = 5 * MS_PER_SECOND
_PROBLEMS_TOLD = 3

SignedEvent: TypeAlias = PolicyProposed | PolicyApproved | PolicyRejected | PolicyRolledBack


class Refusal(NamedTuple):
    """Why an event changed nothing; `detail` says to its sender what does not fit."""

    reason: Reason
    detail: str = ""


class _Signer(NamedTuple):
    person: Person
    key: bytes


@dataclass
class _Signing:
    """A version that waits for signatures: `signed` is a person's name to the key that signed."""

    policy: Policy
    signed: dict[str, bytes] = field(default_factory=dict)
    effective_ms: int = 0


@dataclass
class _Proposal:
    """A new version, on the base of the one approved last: once another takes its place, the proposal is stale."""

    signing: _Signing
    base_digest: str
    proposer: str
    decided: bool = False


class PolicyBook:
    """The history of the policy; it begins with the policy that a worker was started with."""

    def __init__(self, first: Policy) -> None:
        """Begin with the first policy, which nobody had to approve."""
        self._first = first
        self._versions = Versions(first)
        self._proposals: dict[str, _Proposal] = {}
        self._rollbacks: dict[str, _Signing] = {}
        # Fingerprints of all events with a valid signature, by id. A refused one is spent, too: nobody else may
        # publish it again when times have changed.
        self._spent: dict[str, bytes] = {}

    def in_force(self, arrival_ms: int) -> Policy:
        """The newest approved version effective at an arrival, epoch milliseconds."""
        return self._versions.at(arrival_ms)

    def has(self, event: PolicyEvent) -> bool:
        """Whether this very event was taken before: applying it again changes nothing."""
        return self._spent.get(event.event_id) == _fingerprint(event)

    def apply(self, event: PolicyEvent, raw_fields: Mapping[str, Any], arrival_ms: int) -> Refusal | None:
        """Take an event; None when it was applied, now or before.

        Arrivals rise, as they do on the one partition of the topic. `raw_fields` is the event as received, unknown
        fields included: what was signed. The times of the event are RFC 3339, which its codec has seen to.
        """
        if event.policy != self._first.name:
            return Refusal(Reason.UNKNOWN_POLICY, f"$.policy is {event.policy}, known is {self._first.name}")
        if isinstance(event, PolicyInitial):
            return self._check_initial(event)
        if event.event_id in self._spent:
            if self.has(event):
                return None
            return Refusal(Reason.ALREADY_APPLIED, f"event_id {event.event_id} was used for another event")
        in_force = self.in_force(arrival_ms)
        signer = _signer(event, raw_fields, in_force)
        if isinstance(signer, Refusal):
            return signer
        self._spent[event.event_id] = _fingerprint(event)
        early_ms = parse_ms(event.occurred_at) - arrival_ms
        if early_ms > in_force.skew_ms:
            return Refusal(Reason.FROM_THE_FUTURE, f"$.occurred_at is {early_ms} ms after the arrival")
        return self._take(event, signer, arrival_ms)

    def _take(self, event: SignedEvent, signer: _Signer, arrival_ms: int) -> Refusal | None:
        match event:
            case PolicyProposed():
                return self._propose(event, signer)
            case PolicyApproved():
                return self._approve(event, signer, arrival_ms)
            case PolicyRejected():
                return self._reject(event, signer, arrival_ms)
            case PolicyRolledBack():
                return self._roll_back(event, signer, arrival_ms)

    def _check_initial(self, event: PolicyInitial) -> Refusal | None:
        if event.digest == self._first.digest:
            return None
        detail = f"{event.actor} began with {event.digest}, others with {self._first.digest}: give all the same file"
        return Refusal(Reason.UNKNOWN_POLICY, detail)

    def _propose(self, event: PolicyProposed, signer: _Signer) -> Refusal | None:
        text = event.yaml.encode()
        digest = policy_digest(text)
        head = self._versions.head
        if event.base_digest != head.digest:
            return Refusal(Reason.STALE_POLICY, f"$.base_digest is not that of version {head.version}, the newest")
        if digest in self._proposals:
            return Refusal(Reason.ALREADY_DECIDED, "this text was proposed before: raise its version to propose again")
        try:
            policy = load_policy(text)
        except PolicyError as error:
            told = "; ".join(map(str, error.problems[:_PROBLEMS_TOLD]))
            more = len(error.problems) - _PROBLEMS_TOLD
            return Refusal(Reason.INVALID_POLICY, f"{told}; and {more} more" if more > 0 else told)
        refusal = self._refuse_successor(event, policy)
        if refusal is None:
            self._proposals[digest] = _Proposal(_Signing(policy), head.digest, signer.person.name)
        return refusal

    def _refuse_successor(self, event: PolicyProposed, policy: Policy) -> Refusal | None:
        head = self._versions.head
        if policy.name != head.name:
            return Refusal(Reason.UNKNOWN_POLICY, f"the YAML names it {policy.name}, the policy is {head.name}")
        if policy.version != event.version:
            return Refusal(Reason.INVALID_POLICY, f"$.version is {event.version}, in the YAML it is {policy.version}")
        if policy.base_currency != head.base_currency:
            return Refusal(Reason.BASE_CURRENCY_CHANGED, f"from {head.base_currency} to {policy.base_currency}")
        return self._refuse_version(policy)

    def _refuse_version(self, policy: Policy) -> Refusal | None:
        highest = self._versions.highest_version
        if policy.version > highest:
            return None
        return Refusal(Reason.VERSION_NOT_NEXT, f"version {policy.version} is not above {highest}")

    def _approve(self, event: PolicyApproved, signer: _Signer, arrival_ms: int) -> Refusal | None:
        proposal = self._open(event.digest)
        if isinstance(proposal, Refusal):
            return proposal
        if proposal.base_digest != self._versions.head.digest:
            return Refusal(Reason.STALE_POLICY, f"version {self._versions.head.version} was approved meanwhile")
        if signer.person.name == proposal.proposer:
            return Refusal(Reason.OWN_PROPOSAL, f"{proposal.proposer} proposed it")
        policy = proposal.signing.policy
        refusal = self._refuse_version(policy) or self._sign(proposal.signing, event, signer, arrival_ms)
        proposal.decided = self._versions.head is policy
        return refusal

    def _open(self, digest: str) -> _Proposal | Refusal:
        proposal = self._proposals.get(digest)
        if proposal is None:
            return Refusal(Reason.UNKNOWN_PROPOSAL, f"$.digest {digest}")
        if proposal.decided:
            return Refusal(Reason.ALREADY_DECIDED, f"version {proposal.signing.policy.version}")
        return proposal

    def _reject(self, event: PolicyRejected, signer: _Signer, arrival_ms: int) -> Refusal | None:
        proposal = self._open(event.digest)
        if isinstance(proposal, Refusal):
            return proposal
        in_force = self.in_force(arrival_ms)
        if signer.person.name != proposal.proposer and not _may_approve(signer.person, in_force):
            return _not_authorised(signer.person, in_force)
        proposal.decided = True
        return None

    def _roll_back(self, event: PolicyRolledBack, signer: _Signer, arrival_ms: int) -> Refusal | None:
        head = self._versions.head
        if event.digest == head.digest:
            return Refusal(Reason.ALREADY_DECIDED, f"version {head.version} is the newest already")
        policy = self._versions.was_in_force(event.digest, arrival_ms)
        if policy is None:
            return Refusal(Reason.NEVER_APPROVED, f"$.digest {event.digest}")
        signing = self._rollbacks.setdefault(event.digest, _Signing(policy))
        return self._sign(signing, event, signer, arrival_ms)

    def _sign(
        self, signing: _Signing, event: PolicyApproved | PolicyRolledBack, signer: _Signer, arrival_ms: int
    ) -> Refusal | None:
        """Add a signature, and put the version in force when they suffice."""
        in_force = self.in_force(arrival_ms)
        if not _may_approve(signer.person, in_force):
            return _not_authorised(signer.person, in_force)
        if signer.person.name in signing.signed or signer.key in signing.signed.values():
            return Refusal(Reason.SAME_PERSON_TWICE, f"{signer.person.name} has signed")
        signing.signed[signer.person.name] = signer.key
        signing.effective_ms = max(signing.effective_ms, parse_ms(event.effective_from), arrival_ms + SETTLE_MS)
        # Somebody who signed may have lost the role or the key meanwhile.
        able = sum(
            _may_approve(person, in_force) and signing.signed.get(person.name) in person.keys.values()
            for person in in_force.people
        )
        if able >= in_force.policy_approvals:
            self._versions.approve(signing.policy, signing.effective_ms)
            self._rollbacks.clear()  # who signed for going back from the former version has not seen this one
        return None


def _fingerprint(event: PolicyEvent) -> bytes:
    return blake2b(encode(event), digest_size=16).digest()


def _signer(event: SignedEvent, raw_fields: Mapping[str, Any], policy: Policy) -> _Signer | Refusal:
    """The person who signed, one of the policy's people."""
    person = next((person for person in policy.people if person.name == event.actor), None)
    if person is None:
        return Refusal(Reason.UNKNOWN_PERSON, f"{event.actor} is not in the policy's people")
    key = person.keys.get(event.signature.key_id)
    if key is None:
        return Refusal(Reason.UNKNOWN_KEY, f"{person.name} has no key {event.signature.key_id} in the policy")
    if not verify(key, raw_fields, event.signature.value):
        return Refusal(Reason.BAD_SIGNATURE, f"the signature of {person.name} with key {event.signature.key_id}")
    return _Signer(person, key)


def _may_approve(person: Person, policy: Policy) -> bool:
    return not set(person.roles).isdisjoint(policy.policy_approver_roles)


def _not_authorised(person: Person, policy: Policy) -> Refusal:
    roles = ", ".join(policy.policy_approver_roles)
    return Refusal(Reason.NOT_AUTHORISED, f"{person.name} has none of the roles {roles}")
