"""The journal run again offline: the very same pipeline over the very same records, with no broker and no clock."""

from collections import defaultdict

import msgspec
from confluent_kafka import Message

from agents.engine import positions
from pipeline.books import Books
from pipeline.customer import hold
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import InputRecord
from pipeline.record import Message as Out
from schemas.journal import JournalRecord
from schemas.timestamps import parse_ms
from schemas.topics import INPUT_TOPICS
from tests.kafka.house import PARTITIONS, headers, read

_journal = msgspec.json.Decoder(JournalRecord).decode


class Again:
    """What the journal of a broker, run again, makes: messages by topic and partition, and the state of each table."""

    def __init__(self, broker: str, policy: Policy) -> None:
        self.inputs = {topic: _by_offset(read(broker, topic)) for topic in INPUT_TOPICS}
        self.taken: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        self.messages: defaultdict[tuple[str, int], list[Out]] = defaultdict(list)
        self.tables: dict[str, dict[bytes, bytes]] = {"windows": {}, "dossiers": {}}
        units: defaultdict[int, list[JournalRecord]] = defaultdict(list)
        for message in read(broker, "journal"):
            unit = _journal(message.value() or b"")
            units[unit.partition].append(unit)
        for number, journal in units.items():
            self._run(number, journal, policy)

    def _run(self, number: int, journal: list[JournalRecord], policy: Policy) -> None:
        windows, dossiers = self.tables["windows"], self.tables["dossiers"]
        partition = Partition(number, PARTITIONS, Books(PolicyBook(policy), Rates()), windows.get, dossiers.get)
        for unit in journal:
            records = []
            for taken in unit.inputs:
                at_hand = self.inputs[taken.topic]
                offsets = [offset for offset in range(taken.first, taken.next) if (number, offset) in at_hand]
                assert len(offsets) == taken.count
                self.taken[taken.topic, number] += offsets
                records += [at_hand[number, offset] for offset in offsets]
            for message in partition.take(records, None if unit.clock is None else parse_ms(unit.clock)):
                self.messages[message.topic, number].append(message)
            for table, changes in zip((windows, dossiers), partition.changes(), strict=True):
                hold(table, changes)


def state(broker: str, changelog: str) -> dict[bytes, bytes]:
    """Return what a changelog says, positions left out, as compaction would leave it."""
    newest: dict[bytes, bytes] = {}
    for message in read(broker, changelog):
        key, value = message.key() or b"", message.value()
        if value is None:
            newest.pop(key, None)
        elif key != positions.KEY:
            newest[key] = value
    return newest


def _by_offset(messages: list[Message]) -> dict[tuple[int, int], InputRecord]:
    return {
        (message.partition() or 0, message.offset() or 0): InputRecord(
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
            message.timestamp()[1],
            message.key(),
            message.value(),
            tuple(headers(message).items()),
        )
        for message in messages
    }
