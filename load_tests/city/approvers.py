"""The people who grant the city's tiers, with throwaway keys, and a policy that trusts them."""

import base64
import re
from hashlib import blake2b
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.policy.model import Policy
from schemas.signing import canonical

_PEOPLE = re.compile(rb"^people: *\[\]", re.MULTILINE)


class Approvers:
    """People of the simulator who hold every approver's role of a policy.

    Their keys follow from `seed`, so that a run can be repeated: whoever knows the seed can sign. A policy that trusts
    them is for simulations only.
    """

    def __init__(self, policy: Policy, seed: int) -> None:
        roles = {role for tier in policy.tiers for role in tier.approver_roles} | set(policy.policy_approver_roles)
        self.roles = sorted(roles)
        count = max(policy.policy_approvals + 1, *(tier.approvals for tier in policy.tiers))
        self._keys = {
            f"simulated-approver-{number}": Ed25519PrivateKey.from_private_bytes(
                blake2b(f"tierwatch {seed}/{number}".encode(), digest_size=32).digest()
            )
            for number in range(1, count + 1)
        }

    def public_keys(self) -> dict[str, str]:
        """Return each person's public key, base64."""
        return {
            name: base64.b64encode(key.public_key().public_bytes_raw()).decode() for name, key in self._keys.items()
        }

    def trusted_by(self, policy: Policy) -> bool:
        """Return whether the policy knows them all, with these keys."""
        known = {person.name: set(person.keys.values()) for person in policy.people}
        return all(key.public_key().public_bytes_raw() in known.get(name, set()) for name, key in self._keys.items())

    def sign(self, fields: dict[str, Any], approvals: int) -> bytes:
        """Return the event of these fields, as JSON, signed by as many people as `approvals` asks for."""
        actor, *others = list(self._keys)[: max(1, approvals)]
        fields = fields | {"actor": actor}
        signed = canonical(fields)
        more = [{"person": name, **self._signature(name, signed)} for name in others]
        fields["signature"] = self._signature(actor, signed)
        return msgspec.json.encode(fields | ({"countersignatures": more} if more else {}))

    def _signature(self, name: str, signed: bytes) -> dict[str, str]:
        return {"key_id": name, "value": base64.b64encode(self._keys[name].sign(signed)).decode()}


def trusting_policy(policy_yaml: bytes, approvers: Approvers) -> bytes:
    """Return the policy with these people in it.

    Raises:
        ValueError: the policy names people already; nobody should trust a simulation beside them.

    """
    people = "people:\n" + "".join(
        f"  - name: {name}\n    roles: [{', '.join(approvers.roles)}]\n    keys: {{{name}: {key}}}\n"
        for name, key in approvers.public_keys().items()
    )
    text, replaced = _PEOPLE.subn(people.encode(), policy_yaml)
    if replaced != 1:
        raise ValueError("a policy for simulations must have the line `people: []`: take the default one")
    return text
