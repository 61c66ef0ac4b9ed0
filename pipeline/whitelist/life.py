"""The life of a customer on the whitelist: which event does what. It reads as a table and grows by rows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from pipeline.ids import derived_id
from pipeline.policy.model import Policy
from pipeline.whitelist.admission import approve
from pipeline.whitelist.dossier import APPLIED_KEPT, Dossier
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.freezing import freeze, lift
from pipeline.whitelist.outgoing import Outgoing, action, audited, entitled
from pipeline.whitelist.review import announce
from pipeline.whitelist.transition import Case, Change, DeviceKnown, Effect, PayeeKnown, Refused
from schemas.account_action import AccountAction, Action, Because
from schemas.audit import AuditEntry
from schemas.customer_event import (
    AccountFrozen,
    AccountUnfrozen,
    AdmissionApproved,
    CustomerEvent,
    DeviceRegistered,
    PayeeAdded,
)
from schemas.reasons import RefusalReason
from schemas.timestamps import format_ms, parse_ms


class Applied(NamedTuple):
    """The event took effect: the dossier after it, what to publish, and what the customer's windows must learn."""

    dossier: Dossier
    outgoing: tuple[Outgoing, ...]
    effects: tuple[Effect, ...]


class Refusal(NamedTuple):
    """The event is well formed but not allowed: nothing changed. `outgoing` is its audit entry."""

    reason: RefusalReason
    outgoing: tuple[Outgoing, ...]


class Duplicate(NamedTuple):
    """The event was applied before: nothing changed and nothing is said."""


def _register(event: DeviceRegistered, case: Case) -> Change:
    return Change(case.dossier, (DeviceKnown(event.device_id, case.occurred_ms),))


def _add_payee(event: PayeeAdded, case: Case) -> Change:
    return Change(case.dossier, (PayeeKnown(event.payee_id, case.occurred_ms),))


# Each takes the event of its row and the case it arrives in.
Transition = Callable[[Any, Case], Change | Refused]
TRANSITIONS: Mapping[type[CustomerEvent], Transition] = {
    AdmissionApproved: approve,
    AccountFrozen: freeze,
    AccountUnfrozen: lift,
    DeviceRegistered: _register,
    PayeeAdded: _add_payee,
}
# Why the bank's core system is asked for what follows from the event.
_BECAUSE: Mapping[type[CustomerEvent], Because] = {
    AdmissionApproved: "admission_approved",
    AccountFrozen: "account_frozen",
    AccountUnfrozen: "account_unfrozen",
}


def apply(
    event: CustomerEvent, raw_fields: Mapping[str, object], dossier: Dossier, policy: Policy, arrival_ms: int
) -> Applied | Refusal | Duplicate:
    """What a customer event does to its customer's dossier, under the policy in force at its arrival.

    `raw_fields` is the event as received, unknown fields included. An arrival is a tick too: what came due before is
    announced first, so that a grant never ends unsaid because another took its place.
    """
    mark = fingerprint(event)
    if mark in dossier.applied:
        return Duplicate()
    caught_up = announce(event.customer_id, dossier, arrival_ms, policy)
    case = Case(raw_fields, caught_up.dossier, policy, parse_ms(event.occurred_at), arrival_ms)
    change = _refuse_unreliable(event, mark, case) or TRANSITIONS[type(event)](event, case)
    if isinstance(change, Refused):
        return Refusal(change.reason, (audited(_audit(event, arrival_ms, change.detail, change.reason)),))
    after = replace(change.dossier, applied=(*case.dossier.applied, mark)[-APPLIED_KEPT:])
    return Applied(after, (*caught_up.outgoing, *_said(event, case, after)), change.effects)


def fingerprint(event: CustomerEvent) -> bytes:
    """Of an event applied, 16 bytes: 8 of its type and id, 8 of all its fields."""
    identity = msgspec.msgpack.encode((event.__struct_config__.tag, event.event_id))
    content = msgspec.msgpack.encode(event)
    return blake2b(identity, digest_size=8).digest() + blake2b(content, digest_size=8).digest()


def _refuse_unreliable(event: CustomerEvent, mark: bytes, case: Case) -> Refused | None:
    """What no event may be; a freeze excepted, which neither a careless id nor a fast clock may keep out."""
    if isinstance(event, AccountFrozen):
        return None
    if any(seen[:8] == mark[:8] for seen in case.dossier.applied):
        return Refused(RefusalReason.ALREADY_APPLIED, f"event_id {event.event_id} was applied with other content")
    early_ms = case.occurred_ms - case.arrival_ms
    if early_ms > case.policy.skew_ms:
        return Refused(RefusalReason.FROM_THE_FUTURE, f"$.occurred_at is {early_ms} ms after the arrival")
    return None


def _said(event: CustomerEvent, case: Case, after: Dossier) -> tuple[Outgoing, ...]:
    """The audit entry, and for whatever is now otherwise: what the core system is asked for, and the entitlements."""
    arrival_ms = case.arrival_ms
    old = entitlement(event.customer_id, case.dossier, case.policy, arrival_ms)
    new = entitlement(event.customer_id, after, case.policy, arrival_ms)
    entry = _audit(event, arrival_ms, _in_words(event, after, old.tier, new.tier))
    outgoing = [audited(entry)]
    if old.tier != new.tier:
        outgoing.append(action(_asked(event, "tier_change", arrival_ms, old.tier, new.tier)))
    if old.frozen != new.frozen:
        outgoing.append(action(_asked(event, "freeze" if new.frozen else "unfreeze", arrival_ms)))
    if old != new:
        outgoing.append(entitled(new, entry.entry_id))
    return tuple(outgoing)


def _in_words(event: CustomerEvent, after: Dossier, old_tier: str, new_tier: str) -> str:
    words = [event.reason_code] if event.reason_code else []
    if isinstance(event, AdmissionApproved) and after.grant is not None:
        words += [f"{old_tier} -> {new_tier}", f"approved by {', '.join(after.grant.approvers)}"]
    return "; ".join(words)


def _asked(
    event: CustomerEvent, what: Action, arrival_ms: int, tier_from: str = "", tier_to: str = ""
) -> AccountAction:
    return AccountAction(
        action_id=derived_id(event.customer_id, event.event_id, arrival_ms, what),
        action=what,
        customer_id=event.customer_id,
        because=_BECAUSE[type(event)],
        requested_at=format_ms(arrival_ms),
        event_id=event.event_id,
        tier_from=tier_from,
        tier_to=tier_to,
    )


def _audit(event: CustomerEvent, arrival_ms: int, detail: str, reason: RefusalReason | None = None) -> AuditEntry:
    what = str(event.__struct_config__.tag)
    return AuditEntry(
        entry_id=derived_id(event.customer_id, event.event_id, what, arrival_ms, "audit"),
        subject=event.customer_id,
        what=what,
        actor=event.actor,
        result="applied" if reason is None else "refused",
        at=format_ms(arrival_ms),
        event_id=event.event_id,
        reason=reason,
        detail=detail,
    )
