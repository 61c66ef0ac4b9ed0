"""The life of a customer on the whitelist, run: an event arrives, and the table says what becomes of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import msgspec

from pipeline.ids import derived_id
from pipeline.policy.model import Policy
from pipeline.policy.sweeps import Sweep
from pipeline.whitelist import table
from pipeline.whitelist.application import quiet_at
from pipeline.whitelist.conduct import NOTHING_KNOWN, Conduct
from pipeline.whitelist.dossier import APPLIED_KEPT, Dossier
from pipeline.whitelist.on_time import announce
from pipeline.whitelist.outgoing import Outgoing, audited
from pipeline.whitelist.profile import measured_from
from pipeline.whitelist.reliable import doubt, fingerprint, is_id_taken, lowers_at_once
from pipeline.whitelist.said import entry_of, follows, tells
from pipeline.whitelist.table import STATES, Row, state_of
from pipeline.whitelist.tiers import tier_in_force
from pipeline.whitelist.transition import Case, Effect, Refused
from schemas.audit import AuditEntry
from schemas.customer_event import AdmissionApproved, CustomerEvent
from schemas.reasons import RefusalReason
from schemas.timestamps import parse_ms

# The actor of what follows from an event by itself.
HOUSE = "whitelist"


class Applied(NamedTuple):
    """The event took effect: the dossier after it, what to publish, and what the customer's windows must learn."""

    dossier: Dossier
    outgoing: tuple[Outgoing, ...]
    effects: tuple[Effect, ...]


class Refusal(NamedTuple):
    """The event is well formed but not allowed. `outgoing` is its audit entry, and what follows where it left a trace.

    `dossier` is as before, but for what no order of arrival may lose: it never makes anybody more privileged.
    """

    reason: RefusalReason
    outgoing: tuple[Outgoing, ...]
    dossier: Dossier
    effects: tuple[Effect, ...] = ()


class Duplicate(NamedTuple):
    """The event was applied before: nothing changed and nothing is said."""


def apply(  # noqa: PLR0917 - an event, whom it meets, and what is known by then
    event: CustomerEvent,
    raw_fields: Mapping[str, object],
    dossier: Dossier,
    policy: Policy,
    arrival_ms: int,
    conduct: Conduct = NOTHING_KNOWN,
    sweeps: tuple[Sweep, ...] = (),
) -> Applied | Refusal | Duplicate:
    """What a customer event does to its customer's dossier, under the policy in force at its arrival.

    `raw_fields` is the event as received, unknown fields included; `conduct` is what the customer's windows say. An
    arrival is a tick too: what came due before is done first, so that a grant never ends unsaid because another took
    its place.
    """
    mark = fingerprint(event)
    if mark in dossier.applied:
        return Duplicate()
    caught_up = announce(event.customer_id, dossier, arrival_ms, policy, sweeps, conduct)
    # By no clock does anything occur later than the skew allows, or no raise could ever be newer.
    occurred_ms = min(parse_ms(event.occurred_at), arrival_ms + policy.skew_ms)
    case = Case(raw_fields, caught_up.dossier, policy, occurred_ms, arrival_ms, conduct, sweeps)
    doubted = doubt(event, case)
    if doubted is not None and not lowers_at_once(event, case):
        return Refusal(doubted.reason, (audited(_refused(event, case, doubted)),), dossier)
    row = _row(event, case)
    refused = _first_refusal(row, event, case)
    if refused is not None:
        traced = case.dossier if row.trace is None else row.trace(event, case)
        entry = _refused(event, case, refused)
        if traced == case.dossier:
            return Refusal(refused.reason, (audited(entry),), dossier)
        return Refusal(refused.reason, (*caught_up.outgoing, *_said(entry, case, traced)), traced)
    change = row.act(event, case)
    after = replace(change.dossier, applied=(*case.dossier.applied, mark)[-APPLIED_KEPT:])
    entry = _entry(event, case, _in_words(event, case, after))
    said = [*caught_up.outgoing, *_said(entry, case, after), *change.outgoing]
    after = _at_once(event, case, after, said)
    after = replace(after, assess_ms=quiet_at(case._replace(dossier=after)))
    after = measured_from(after, policy, arrival_ms)
    return Applied(after, tuple(said), change.effects)


def _row(event: CustomerEvent, case: Case) -> Row:
    """The transition that the event asks for, where the customer is if one begins there."""
    asked_for = [row for row in table.EVENTS if type(event) in row.on and (row.when is None or row.when(event, case))]
    return next((row for row in asked_for if _is_here(row, case)), asked_for[0])


def _is_here(row: Row, case: Case) -> bool:
    return state_of(row.region, case.dossier, case.arrival_ms) in row.sources


def _first_refusal(row: Row, event: CustomerEvent, case: Case) -> Refused | None:
    if not _is_here(row, case):
        state = state_of(row.region, case.dossier, case.arrival_ms)
        return Refused(RefusalReason.NOT_NOW, f"{row.region} is {state}, not {' or '.join(row.sources)}")
    return next((refused for guard in row.guards if (refused := guard(event, case)) is not None), None)


def _refused(event: CustomerEvent, case: Case, refused: Refused) -> AuditEntry:
    entry = _entry(event, case, refused.detail)
    return msgspec.structs.replace(entry, result="refused", reason=refused.reason)


def _said(entry: AuditEntry, case: Case, after: Dossier) -> tuple[Outgoing, ...]:
    """The audit entry, and what follows from whatever is now otherwise."""
    now_ms, policy = case.arrival_ms, case.policy
    return (
        audited(entry),
        *follows(entry, case.dossier, after, policy, now_ms, now_ms),
        *tells(entry, case.dossier, after, policy, case.conduct, now_ms),
    )


def _at_once(event: CustomerEvent, case: Case, dossier: Dossier, said: list[Outgoing]) -> Dossier:
    """What follows by itself, in the order of the table."""
    for row in table.AT_ONCE:
        now = case._replace(dossier=dossier)
        if state_of(row.region, dossier, case.arrival_ms) not in row.sources or not row.when(now):
            continue
        change = row.act(event.customer_id, now)
        detail = _moves(now, change.dossier)
        entry = entry_of(event.customer_id, row.audited, HOUSE, case.arrival_ms, event.event_id, detail)
        said += (audited(entry), *tells(entry, dossier, change.dossier, case.policy, case.conduct, case.arrival_ms))
        said += change.outgoing
        dossier = change.dossier
    return dossier


def _entry(event: CustomerEvent, case: Case, detail: str) -> AuditEntry:
    what = str(event.__struct_config__.tag)
    entry = entry_of(event.customer_id, what, event.actor, case.arrival_ms, event.event_id, detail)
    doubted = doubt(event, case)
    if doubted is None:
        return entry
    # Two events of one id are two entries, even where they arrive in the same millisecond.
    mark = fingerprint(event).hex()
    entry_id = derived_id(entry.entry_id, mark) if is_id_taken(event, case) else entry.entry_id
    return msgspec.structs.replace(entry, entry_id=entry_id, reason=doubted.reason)


def _in_words(event: CustomerEvent, case: Case, after: Dossier) -> str:
    words = [event.reason_code] if event.reason_code else []
    if isinstance(event, AdmissionApproved) and after.grant is not None:
        old, new = (tier_in_force(one, case.policy, case.arrival_ms).name for one in (case.dossier, after))
        words += [f"{old} -> {new}", f"approved by {', '.join(after.grant.approvers)}"]
    elif moves := _moves(case, after):
        words.append(moves)
    doubted = doubt(event, case)
    if doubted is not None:
        words.append(doubted.detail)
    return "; ".join(words)


def _moves(case: Case, after: Dossier) -> str:
    """Which states changed, in words."""
    pairs = [
        (state_of(region, case.dossier, case.arrival_ms), state_of(region, after, case.arrival_ms)) for region in STATES
    ]
    return ", ".join(f"{old} -> {new}" for old, new in pairs if old != new)
