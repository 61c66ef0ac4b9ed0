"""The journal of one partition as units of work, each once and none missing."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from agents.engine.journal import TOPIC, UNIT
from agents.verify.ledger import Difference
from agents.verify.report import Report
from agents.verify.rerun import GoneError
from agents.verify.streams import Stream
from schemas.journal import JournalRecord
from schemas.timestamps import parse_ms

_AT_ONCE = 100
_unit = msgspec.json.Decoder(JournalRecord).decode


class Unit(NamedTuple):
    """A record of the journal, where it stands, and the unit's arrival, epoch milliseconds."""

    offset: int
    at_ms: int
    made_of: JournalRecord


async def units(journal: Stream, count: int | None, report: Report) -> AsyncIterator[Unit]:
    """Return the units of a partition up to the `count`th, None: all. One that stands there again is a difference.

    Raises:
        GoneError: one of them is missing.

    """
    number = 0
    while (count is None or number < count) and (records := await journal.take(_AT_ONCE)):
        for record in records:
            headers = dict(record.headers)
            at = int(headers[UNIT])
            if at > number + 1:
                raise GoneError(_lost(journal, number, at))
            if at <= number:
                report.add([_repeated(record, at)])
                continue
            if number == count:
                break
            number = at
            yield Unit(record.offset, parse_ms(headers["ce_time"].decode()), _unit(record.value or b""))
    if count is not None and number < count:
        raise GoneError(_lost(journal, number, count + 1))


def _repeated(record: ConsumerRecord, at: int) -> Difference:
    return Difference("journal", TOPIC, record.partition, record.offset, "", f"unit {at} stands here again")


def _lost(journal: Stream, number: int, found_at: int) -> str:
    return (
        f"journal[{journal.number}] lacks the units {number + 1} to {found_at - 1}: retention has taken them. What "
        "came before cannot be run again; give the journal, and the inputs, a longer retention."
    )
