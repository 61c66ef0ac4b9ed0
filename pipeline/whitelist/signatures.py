"""Whether enough different people signed: two names typed by one hand are not four eyes."""

from pipeline.policy.model import Tier
from pipeline.whitelist.transition import Case, Refused
from schemas.event import SignedEvent
from schemas.reasons import RefusalReason
from schemas.signing import verify


def signers(event: SignedEvent) -> tuple[str, ...]:
    """Who says to have signed, the actor first."""
    return event.actor, *(extra.person for extra in event.countersignatures)


def refuse_signatures(
    event: SignedEvent, case: Case, tier: Tier, beside: frozenset[str] = frozenset(), more: int = 0
) -> Refused | None:
    """Why those who signed do not suffice to raise somebody to that tier.

    Each must be a person of the policy with a role that approves the tier, not the customer, and none of `beside`, who
    had a hand in the case; `more` sign than the tier asks for.
    """
    signed = [
        (event.actor, event.signature.key_id, event.signature.value),
        *((extra.person, extra.key_id, extra.value) for extra in event.countersignatures),
    ]
    people = {person.name: person for person in case.policy.people}
    roles = ", ".join(tier.approver_roles)
    names: list[str] = []
    keys: set[bytes] = set()
    for name, key_id, value in signed:
        person = people.get(name)
        if person is None:
            return Refused(RefusalReason.UNKNOWN_PERSON, f"{name} is not in the policy's people")
        if name == event.customer_id:
            return Refused(RefusalReason.OWN_CASE, f"{name} is the customer")
        if name in beside:
            return Refused(RefusalReason.OWN_CASE, f"{name} applied, or gathered the evidence")
        if not set(person.roles) & set(tier.approver_roles):
            return Refused(RefusalReason.NOT_AUTHORISED, f"{name} has none of the roles {roles}")
        key = person.keys.get(key_id)
        if key is None:
            return Refused(RefusalReason.UNKNOWN_KEY, f"{name} has no key {key_id} in the policy")
        if name in names or key in keys:
            return Refused(RefusalReason.SAME_PERSON_TWICE, f"{name} with key {key_id} already signed")
        if not verify(key, case.raw_fields, value):
            return Refused(RefusalReason.BAD_SIGNATURE, f"the signature of {name} with key {key_id}")
        names.append(name)
        keys.add(key)
    needed = tier.approvals + more
    if len(names) < needed:
        return Refused(RefusalReason.TOO_FEW_APPROVERS, f"{len(names)} signed, {tier.name} takes {needed}")
    return None
