"""The life of the policy: what is proposed, who signed it, what is in force when.

A pure function of the events in the order of their arrival: every worker that reads the topic to its end has the same
book. What each event needs is checked under the policy in force at its arrival.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from pipeline.policy.break_glass import Glasses
from pipeline.policy.load import PolicyError, load_policy, policy_digest
from pipeline.policy.model import Policy
from pipeline.policy.proposals import Proposal, Refusal, Signer, Signing, may_approve, not_authorised, signer_of
from pipeline.policy.sweeps import Sweep, Sweeps
from pipeline.policy.versions import Versions
from pipeline.whitelist.attestation import revoked_by
from pipeline.whitelist.transition import Refused
from schemas.codec import encode
from schemas.policy_event import (
    AttestationRevoked,
    GlassBroken,
    GlassMended,
    GlassReviewed,
    PolicyApproved,
    PolicyEvent,
    PolicyInitial,
    PolicyProposed,
    PolicyRejected,
    PolicyRolledBack,
    ScreeningListChanged,
    SignedPolicyEvent,
)
from schemas.reasons import RefusalReason as Reason
from schemas.timestamps import MS_PER_SECOND, parse_ms

# An approval takes effect no sooner than this after its arrival, so that all workers have read it by then.
SETTLE_MS = 5 * MS_PER_SECOND
_PROBLEMS_TOLD = 3


class PolicyBook:
    """The history of the policy; it begins with the policy that a worker was started with."""

    def __init__(self, first: Policy) -> None:
        """Begin with the first policy, which nobody had to approve."""
        self._first = first
        self.versions = Versions(first)
        # By digest. Of the rollbacks, those that wait for signatures.
        self.proposals: dict[str, Proposal] = {}
        self.rollbacks: dict[str, Signing] = {}
        self.glasses = Glasses()
        # Whom the history of policies and lists makes due for review; another tuple whenever there is something new.
        self.sweeps: tuple[Sweep, ...] = ()
        self._told: list[Sweep] = []
        self._sweeps = Sweeps()
        # Fingerprints of all events with a valid signature, by id. A refused one is spent, too: nobody else may
        # publish it again when times have changed.
        self._spent: dict[str, bytes] = {}

    def in_force(self, arrival_ms: int) -> Policy:
        """The newest approved version effective at an arrival, epoch milliseconds, quietened while glass is broken."""
        return self.glasses.over(self.versions.at(arrival_ms), arrival_ms)

    def reign(self, arrival_ms: int) -> tuple[Policy, int, int]:
        """The policy in force at an arrival, and of which arrivals that is so: the first, and the first no more."""
        policy, since_ms, until_ms = self.versions.reign(arrival_ms)
        return self.glasses.over(policy, arrival_ms), *self.glasses.narrow(arrival_ms, since_ms, until_ms)

    def in_words(self, event: PolicyEvent) -> str:
        """What an event that was just applied did, where its own fields do not say that."""
        return self.glasses.all[-1].in_words() if isinstance(event, GlassBroken) else ""

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
        signer = signer_of(event.actor, event.signature, raw_fields, in_force)
        if isinstance(signer, Refusal):
            return signer
        self._spent[event.event_id] = _fingerprint(event)
        early_ms = parse_ms(event.occurred_at) - arrival_ms
        if early_ms > in_force.skew_ms:
            return Refusal(Reason.FROM_THE_FUTURE, f"$.occurred_at is {early_ms} ms after the arrival")
        return self._take(event, signer, arrival_ms)

    def _take(self, event: SignedPolicyEvent, signer: Signer, arrival_ms: int) -> Refusal | None:
        match event:
            case PolicyProposed():
                return self._propose(event, signer)
            case PolicyApproved():
                return self._approve(event, signer, arrival_ms)
            case PolicyRejected():
                return self._reject(event, signer, arrival_ms)
            case PolicyRolledBack():
                return self._roll_back(event, signer, arrival_ms)
            case GlassBroken():
                in_force = self.in_force(arrival_ms)
                return self.glasses.break_one(event, signer.person, in_force, arrival_ms, SETTLE_MS)
            case GlassMended():
                return self.glasses.mend(event, signer.person, self.in_force(arrival_ms), arrival_ms)
            case GlassReviewed():
                return self.glasses.review(event, signer.person, self.in_force(arrival_ms), arrival_ms)
            case ScreeningListChanged():
                self._tell(Sweep("screening_list_changed", arrival_ms, "", event.list_version, ("screening",)))
                return None
            case AttestationRevoked():
                return self._revoke(event, arrival_ms)

    def _check_initial(self, event: PolicyInitial) -> Refusal | None:
        if event.digest == self._first.digest:
            return None
        detail = f"{event.actor} began with {event.digest}, others with {self._first.digest}: give all the same file"
        return Refusal(Reason.UNKNOWN_POLICY, detail)

    def _propose(self, event: PolicyProposed, signer: Signer) -> Refusal | None:
        text = event.yaml.encode()
        digest = policy_digest(text)
        head = self.versions.head
        if event.base_digest != head.digest:
            return Refusal(Reason.STALE_POLICY, f"$.base_digest is not that of version {head.version}, the newest")
        if digest in self.proposals:
            return Refusal(Reason.ALREADY_DECIDED, "this text was proposed before: raise its version to propose again")
        try:
            policy = load_policy(text)
        except PolicyError as error:
            told = "; ".join(map(str, error.problems[:_PROBLEMS_TOLD]))
            more = len(error.problems) - _PROBLEMS_TOLD
            return Refusal(Reason.INVALID_POLICY, f"{told}; and {more} more" if more > 0 else told)
        refusal = self._refuse_successor(event, policy)
        if refusal is None:
            self.proposals[digest] = Proposal(Signing(policy), head.digest, signer.person.name)
        return refusal

    def _refuse_successor(self, event: PolicyProposed, policy: Policy) -> Refusal | None:
        head = self.versions.head
        if policy.name != head.name:
            return Refusal(Reason.UNKNOWN_POLICY, f"the YAML names it {policy.name}, the policy is {head.name}")
        if policy.version != event.version:
            return Refusal(Reason.INVALID_POLICY, f"$.version is {event.version}, in the YAML it is {policy.version}")
        if policy.base_currency != head.base_currency:
            return Refusal(Reason.BASE_CURRENCY_CHANGED, f"from {head.base_currency} to {policy.base_currency}")
        if policy.warm_until_ms is not None and policy.warm_until_ms > parse_ms(event.occurred_at):
            # What is still to come would ask for nothing: that is what glass is broken for, for hours.
            return Refusal(Reason.INVALID_POLICY, "$.warm_until is ahead: only history is loaded quietly")
        return self._refuse_version(policy)

    def _refuse_version(self, policy: Policy) -> Refusal | None:
        highest = self.versions.highest_version
        if policy.version > highest:
            return None
        return Refusal(Reason.VERSION_NOT_NEXT, f"version {policy.version} is not above {highest}")

    def _approve(self, event: PolicyApproved, signer: Signer, arrival_ms: int) -> Refusal | None:
        proposal = self._open(event.digest)
        if isinstance(proposal, Refusal):
            return proposal
        if proposal.base_digest != self.versions.head.digest:
            return Refusal(Reason.STALE_POLICY, f"version {self.versions.head.version} was approved meanwhile")
        if signer.person.name == proposal.proposer:
            return Refusal(Reason.OWN_PROPOSAL, f"{proposal.proposer} proposed it")
        policy = proposal.signing.policy
        refusal = self._refuse_version(policy) or self._sign(proposal.signing, event, signer, arrival_ms)
        if self.versions.head is policy:
            proposal.decided = "approved"
        return refusal

    def _open(self, digest: str) -> Proposal | Refusal:
        proposal = self.proposals.get(digest)
        if proposal is None:
            return Refusal(Reason.UNKNOWN_PROPOSAL, f"$.digest {digest}")
        if proposal.decided is not None:
            detail = f"version {proposal.signing.policy.version} was {proposal.decided}"
            return Refusal(Reason.ALREADY_DECIDED, detail)
        return proposal

    def _reject(self, event: PolicyRejected, signer: Signer, arrival_ms: int) -> Refusal | None:
        proposal = self._open(event.digest)
        if isinstance(proposal, Refusal):
            return proposal
        in_force = self.in_force(arrival_ms)
        if signer.person.name != proposal.proposer and not may_approve(signer.person, in_force):
            return not_authorised(signer.person, in_force)
        proposal.decided = "rejected"
        return None

    def _roll_back(self, event: PolicyRolledBack, signer: Signer, arrival_ms: int) -> Refusal | None:
        head = self.versions.head
        if event.digest == head.digest:
            return Refusal(Reason.ALREADY_DECIDED, f"version {head.version} is the newest already")
        policy = self.versions.was_in_force(event.digest, arrival_ms)
        if policy is None:
            return Refusal(Reason.NEVER_APPROVED, f"$.digest {event.digest}")
        signing = self.rollbacks.setdefault(event.digest, Signing(policy))
        return self._sign(signing, event, signer, arrival_ms)

    def _sign(
        self, signing: Signing, event: PolicyApproved | PolicyRolledBack, signer: Signer, arrival_ms: int
    ) -> Refusal | None:
        """Add a signature, and put the version in force when they suffice."""
        effective_ms = max(parse_ms(event.effective_from), arrival_ms + SETTLE_MS)
        in_force = self.in_force(arrival_ms)
        refusal = signing.sign(signer, effective_ms, in_force)
        if refusal is None and not signing.missing(in_force):
            self.versions.approve(signing.policy, signing.effective_ms)
            self.rollbacks.clear()  # who signed for going back from the former version has not seen this one
            self._sweep()
        return refusal

    def _revoke(self, event: AttestationRevoked, arrival_ms: int) -> Refusal | None:
        gone = revoked_by(event.token, self.in_force(arrival_ms))
        if isinstance(gone, Refused):
            return Refusal(gone.reason, gone.detail)
        self._tell(Sweep("attestation_revoked", arrival_ms, "", event.event_id, tuple(sorted(gone))))
        return None

    def _tell(self, sweep: Sweep) -> None:
        self._told.append(sweep)
        self._sweep()

    def _sweep(self) -> None:
        self.sweeps = self._sweeps.of(self.versions.history(), self._told)


def _fingerprint(event: PolicyEvent) -> bytes:
    return blake2b(encode(event), digest_size=16).digest()
