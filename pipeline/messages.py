"""Outgoing messages as bytes: every kind with its id, its CloudEvents headers and its customer's key."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from msgspec import Struct

from pipeline.audit_chain import AuditChain
from pipeline.cards import mask_value
from pipeline.record import Message, Record
from pipeline.validate import LATEST_ARRIVAL_MS, Rejected
from pipeline.whitelist.outgoing import Outgoing
from schemas import cloudevents, dead_letter
from schemas.audit import AuditEntry
from schemas.codec import encode
from schemas.decision import Decision

_DECISION: Final = cloudevents.fixed(Decision)
_message: Final = Message


def message(topic: str, key: bytes, body: Struct, message_id: str, time: str) -> Message:
    """One message; `time` is the arrival that gave rise to it, RFC 3339."""
    return Message(topic, key, encode(body), cloudevents.headers(type(body), message_id, time))


def plain_message(key: bytes, decision: bytes, decision_id: str, time: str) -> Message:
    """A decision that is written already."""
    # To add two tuples is half the work of unpacking one into another.
    headers = _DECISION + (("ce_id", decision_id.encode()), ("ce_time", time.encode()))  # noqa: RUF005
    return _message("decisions", key, decision, headers)


def publish(key: bytes, outgoing: Iterable[Outgoing], chain: AuditChain) -> list[Message]:
    """What the whitelist says, as messages of its customer; audit entries take their place in the chain."""
    return [
        audited(key, body, chain) if isinstance(body, AuditEntry) else message(topic, key, body, message_id, time)
        for topic, body, message_id, time in outgoing
    ]


def audited(key: bytes, entry: AuditEntry, chain: AuditChain) -> Message:
    """An audit entry, behind the one before it."""
    linked, value = chain.add(entry)
    return Message("audit", key, value, cloudevents.headers(AuditEntry, linked.entry_id, linked.at))


def dead_letter_of(record: Record, rejected: Rejected) -> Message:
    """The record's own bytes with the reason beside them; card numbers masked, and cut where Kafka would refuse it."""
    value = record.value
    kept, found = mask_value(value) if value is not None else (None, 0)
    if kept is not None and len(kept) > dead_letter.LARGEST_VALUE:
        kept = kept[: dead_letter.LARGEST_VALUE]
    changed = kept is not value and kept != value
    letter = dead_letter.DeadLetter(
        reason=rejected.reason,
        detail=rejected.detail,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        first_arrival_ms=min(max(record.timestamp, 0), LATEST_ARRIVAL_MS),
        masked=found > 0,
        digest=sha256(value).hexdigest() if changed and value is not None else "",
        size=len(value) if changed and value is not None else None,
        original_headers=record.headers,
    )
    return Message("dead-letters", record.key, kept, dead_letter.headers(letter))
