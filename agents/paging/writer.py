"""What the keeper has made of what it read, and the one Kafka transaction that says so."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from msgspec import Struct

from pipeline.cases.keeper import Taken
from pipeline.record import Message as Outgoing
from schemas import cloudevents
from schemas.case import Case, CaseMember
from schemas.case_event import AnyCaseEvent
from schemas.case_key import CaseKey
from schemas.codec import encode
from schemas.timestamps import format_ms

Headers = list[tuple[str, str | bytes | None]]

_ANSWER_S = 30.0
# A killed keeper's open transaction hides what others write behind it for so long at most.
_TRANSACTION_MS = 10_000


class Work:
    """What one transaction writes: of each key and case the last, of everything else all."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.states: dict[tuple[int, str], CaseKey | None] = {}
        self.cases: dict[str, Case] = {}
        self.members: list[CaseMember] = []
        self.onward: list[AnyCaseEvent] = []
        self.letters: list[Outgoing] = []

    def add(self, number: int, taken: Taken) -> None:
        """Add what a key of this partition has become."""
        self.states[number, taken.state.key] = taken.state
        self.cases |= {case.case_id: case for case in taken.cases}
        self.members += taken.members
        self.onward += taken.onward


class Writer:
    """A transactional producer of its own. Whatever Kafka refuses is raised as `KafkaException`, and undone."""

    def __init__(self, client: Mapping[str, Any], name: str) -> None:
        """Connect when `open`."""
        self._producer = Producer(
            {
                **client,
                "transactional.id": f"{name}-{uuid.uuid4()}",
                "transaction.timeout.ms": _TRANSACTION_MS,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "linger.ms": 0,
            }
        )

    def open(self, topic: str) -> int:
        """Get ready for transactions; return how many partitions a topic has."""
        self._producer.init_transactions(_ANSWER_S)
        return len(self._producer.list_topics(topic, _ANSWER_S).topics[topic].partitions)

    def commit(self, work: Work, now_ms: int, positions: Sequence[TopicPartition], consumer: Consumer) -> None:
        """Write it all, and how far `consumer` has read."""
        at = format_ms(now_ms)
        self._producer.begin_transaction()
        for (number, key), state in work.states.items():
            self._send("case-keys", key, state, at, number)
        for case in work.cases.values():
            self._send("cases", case.case_id, case, at)
        for member in work.members:
            self._send("case-members", member.case_id, member, at)
        for event in work.onward:
            self._send("case-events", event.key, event, at)
        for letter in work.letters:
            self._produce(letter.topic, letter.key, letter.value, list(letter.headers))
        if positions:
            self._producer.send_offsets_to_transaction(list(positions), consumer.consumer_group_metadata(), _ANSWER_S)
        self._producer.commit_transaction(_ANSWER_S)

    def _send(self, topic: str, key: str, message: Struct | None, at: str, number: int = -1) -> None:
        value = None if message is None else encode(message)
        headers: Headers = [] if message is None else list(cloudevents.headers(type(message), str(uuid.uuid4()), at))
        self._produce(topic, key, value, headers, number)

    def _produce(
        self, topic: str, key: str | bytes | None, value: bytes | None, headers: Headers, number: int = -1
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, number, headers=headers)
                break
            except BufferError:
                self._producer.poll(0.05)
