"""What the pager cannot read or use: a dead letter with its reason, so that one bad record stops nobody's page."""

from typing import cast

import msgspec
from confluent_kafka import Message as KafkaMessage

from agents.log import Log
from pipeline.cases.case import UnreadableTimeError
from pipeline.messages import dead_letter_of
from pipeline.record import InputRecord, Message
from pipeline.validate import Rejected
from schemas.codec import undecodable
from schemas.reasons import DeadLetterReason

log = Log("pager")

# What is raised where bytes are not what they should be.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UnreadableTimeError)


def passed_over(record: InputRecord, error: Exception) -> None:
    """Say that a record of a topic that only pagers write cannot be read: another hand or a newer version wrote it."""
    log.error(
        "a record is passed over",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=_rejected(record.value or b"", error).reason.value,
    )


def letter_of(message: KafkaMessage, error: Exception) -> Message:
    """The dead letter that a record becomes: not to be read, or a bug of ours that it has met."""
    rejected = _rejected(message.value() or b"", error)
    record = InputRecord(
        cast("str", message.topic()),
        cast("int", message.partition()),
        cast("int", message.offset()),
        message.timestamp()[1],
        message.key(),
        message.value(),
        cast("list[tuple[str, bytes]]", message.headers() or []),
    )
    log.error(
        "a record is set aside",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=rejected.reason.value,
        detail=rejected.detail,
        what_to_do="tierwatch dlq list",
    )
    return dead_letter_of(record, rejected)


def _rejected(value: bytes, error: Exception) -> Rejected:
    if isinstance(error, UnreadableTimeError):
        return Rejected(DeadLetterReason.BAD_TIME, str(error))
    if isinstance(error, UNREADABLE):
        found = undecodable(value, error)
        return Rejected(found.reason, found.detail)
    told = f"{type(error).__name__}: report this as a bug, then replay the dead letter"
    return Rejected(DeadLetterReason.CRASHED, told)
