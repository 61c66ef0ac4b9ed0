"""The topic `dead-letters` as a person works through it: what lies there, what was done about it, and doing it once."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

import msgspec
from confluent_kafka import KafkaException, Producer

from agents.broker import BrokerError
from agents.log import Log
from agents.paging.unread import UNREADABLE, passed_over
from agents.settings import Settings
from agents.whole_topic import WholeTopic
from pipeline.audit_chain import AuditChain, Head, digest_of, write_head
from pipeline.record import InputRecord
from schemas import cloudevents, dead_letter
from schemas.dead_letter import DeadLetter
from schemas.dead_letter_action import DeadLetterAction
from schemas.timestamps import format_ms

log = Log("dlq")

LETTERS, ACTIONS = "dead-letters", "dead-letter-actions"
# Of one Kafka transaction.
AT_ONCE = 500
_ANSWER_S = 30.0
# One at a time in the whole house: a second one that begins fences the first.
_TRANSACTIONAL_ID = "tierwatch-dlq"

Place = tuple[int, int]
Action = Literal["replayed", "discarded"]
_action = msgspec.json.Decoder(DeadLetterAction).decode


class Letter(NamedTuple):
    """One dead letter: its place on the topic, when it came there, its bytes, what its headers say, what was done."""

    place: Place
    at_ms: int
    key: bytes | None
    value: bytes | None
    said: DeadLetter
    done: DeadLetterAction | None

    @property
    def name(self) -> str:
        """What people call it: `PARTITION/OFFSET`."""
        return "{}/{}".format(*self.place)

    @property
    def obstacle(self) -> str:
        """Why it cannot be replayed; empty where it can."""
        if self.done is not None:
            return f"it was {self.done.action} by {self.done.actor} at {self.done.at}"
        if not self.said.reason.replayable:
            return f"{self.said.reason.value} would come of the same bytes again"
        if self.said.masked or self.said.digest:
            return "its bytes are masked or cut: ask the processor to send it again"
        return ""


def letters(settings: Settings, wanted: Callable[[Letter], bool]) -> list[Letter]:
    """Return the dead letters that are wanted, oldest first. Raises `BrokerError` where Kafka does not give them."""
    done = actions(settings)
    with WholeTopic(settings, LETTERS) as whole:
        read = [letter for record in whole.to_the_end() for letter in _letter(record, done)]
    return sorted(filter(wanted, read), key=lambda letter: (letter.at_ms, letter.place))


def actions(settings: Settings) -> dict[Place, DeadLetterAction]:
    """Return what was done, by the place of the dead letter. Raises `BrokerError`."""
    return _so_far(settings)[0]


def _so_far(settings: Settings) -> tuple[dict[Place, DeadLetterAction], Head]:
    """Return what was done, and where the chain of it ends."""
    done, head = dict[Place, DeadLetterAction](), Head()
    with WholeTopic(settings, ACTIONS) as whole:
        for record in whole.to_the_end():
            for action in _read(record):
                done[action.partition, action.offset] = action
                head = Head(action.sequence, digest_of(record.value or b"")) if action.sequence else head
    return done, head


# Whoever else can write to these topics must not hide the rest.


def _read(record: InputRecord) -> Iterator[DeadLetterAction]:
    try:
        yield _action(record.value or b"")
    except UNREADABLE as error:
        passed_over(record, error)


def _letter(record: InputRecord, done: dict[Place, DeadLetterAction]) -> Iterator[Letter]:
    try:
        said = dead_letter.parse(record.headers)
    except ValueError as error:
        place = f"{record.partition}/{record.offset}"
        log.error("a record that is no dead letter is passed over", place=place, why=error)  # noqa: TRY400 - ours
        return
    at = (record.partition, record.offset)
    yield Letter(at, record.timestamp, record.key, record.value, said, done.get(at))


class Handling:
    """One person's turn at the dead letters: what is done and that it was done are one Kafka transaction.

    Nobody else writes what was done, and one at a time: so it is a hash chain, as the audit is.

    Raises:
        BrokerError: Kafka does not take it, or somebody else began a turn; nothing of the last transaction was done.

    """

    def __init__(self, settings: Settings, actor: str, why: str) -> None:
        """Begin: whoever is at it elsewhere is stopped before the next transaction."""
        self._actor = actor
        self._why = why
        options: dict[str, Any] = {
            **settings.librdkafka(),
            "transactional.id": _TRANSACTIONAL_ID,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "log_level": 0,
        }
        self._producer = Producer(options)
        self._try(lambda: self._producer.init_transactions(_ANSWER_S))
        # Read after the fence: nobody else can add to it any more.
        self._done, head = _so_far(settings)
        self._chain = AuditChain(lambda: write_head(head) if head.entries else None)

    def handle(self, chosen: Iterable[Letter], action: Action) -> Iterator[Letter]:
        """Do it to each that nobody has done anything about; yield each when it is done, for good."""
        left = (letter for letter in chosen if letter.place not in self._done)
        while batch := list(islice(left, AT_ONCE)):
            self._try(lambda batch=batch: self._commit(batch, action))  # type: ignore[misc]
            yield from batch

    def _commit(self, batch: Sequence[Letter], action: Action) -> None:
        now_ms = int(time.time() * 1000)
        self._producer.begin_transaction()
        for letter in batch:
            if action == "replayed":
                said = letter.said
                self._producer.produce(
                    said.topic, letter.value, letter.key, timestamp=now_ms, headers=list(said.original_headers)
                )
            told, value = self._chain.add(self._told(letter, action, format_ms(now_ms)))
            self._producer.produce(
                ACTIONS,
                value,
                letter.name,
                timestamp=now_ms,
                headers=list(cloudevents.headers(DeadLetterAction, told.action_id, told.at)),
            )
        self._producer.commit_transaction(_ANSWER_S)

    def _told(self, letter: Letter, action: Action, at: str) -> DeadLetterAction:
        partition, offset = letter.place
        return DeadLetterAction(
            action_id=str(uuid.uuid4()),
            action=action,
            partition=partition,
            offset=offset,
            reason=letter.said.reason,
            actor=self._actor,
            why=self._why,
            at=at,
            topic=letter.said.topic if action == "replayed" else "",
        )

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (KafkaException, BufferError) as error:
            told = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            raise BrokerError(
                f"Kafka did not take it: {told}. What was done before stands in `tierwatch dlq list --all`; the rest "
                "can be done again."
            ) from error
