"""Whether to rely on an event: nothing raises under a careless id or by a fast clock, and neither stops what lowers."""

from hashlib import blake2b

import msgspec

from pipeline.whitelist.causes import is_hit
from pipeline.whitelist.own_word import denial_freezes
from pipeline.whitelist.transition import Case, Refused
from schemas.customer_event import CustomerEvent
from schemas.reasons import RefusalReason
from schemas.standing_event import AccountFrozen, CustomerDenied, SuppressionEnded, TierRemoved, TierSuspended
from schemas.timestamps import parse_ms

_LOWER = (AccountFrozen, SuppressionEnded, TierRemoved, TierSuspended)


def fingerprint(event: CustomerEvent) -> bytes:
    """Of an event applied, 16 bytes: 8 of its type and id, 8 of all its fields."""
    identity = msgspec.msgpack.encode((event.__struct_config__.tag, event.event_id))
    content = msgspec.msgpack.encode(event)
    return blake2b(identity, digest_size=8).digest() + blake2b(content, digest_size=8).digest()


def is_id_taken(event: CustomerEvent, case: Case) -> bool:
    """Whether another event of the same type and id was applied."""
    mark = fingerprint(event)[:8]
    return any(seen[:8] == mark for seen in case.dossier.applied)


def doubt(event: CustomerEvent, case: Case) -> Refused | None:
    """What speaks against relying on it: its id is another's, or its clock is further ahead than the skew allows."""
    if is_id_taken(event, case):
        return Refused(RefusalReason.ALREADY_APPLIED, f"event_id {event.event_id} was applied with other content")
    early_ms = parse_ms(event.occurred_at) - case.arrival_ms
    if early_ms > case.policy.skew_ms:
        return Refused(RefusalReason.FROM_THE_FUTURE, f"$.occurred_at is {early_ms} ms after the arrival")
    return None


def lowers_at_once(event: CustomerEvent, case: Case) -> bool:
    """It lowers on one word, whoever's: what was lowered in vain is mended, what was lost is not."""
    if isinstance(event, CustomerDenied):
        return denial_freezes(event, case)
    return isinstance(event, _LOWER) or is_hit(event, case)
