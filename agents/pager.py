"""The pager: alerts in, cases out, and each case to Alertmanager once, however often anybody dies on the way.

What is read, and the cases that it makes, are one Kafka transaction: each alert is counted in one case once. Pages come
after it, at least once: after a start all open cases are told again, and Alertmanager knows them by their ids.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from agents.alertmanager import Alertmanager, UnheardError
from agents.broker import Broker, BrokerError
from agents.log import Log
from agents.settings import Settings
from agents.topics import TopicsError
from agents.whole_topic import WholeTopic
from pipeline.cases.case import is_over, join
from pipeline.cases.page import alert_of
from schemas import cloudevents
from schemas.case import Case
from schemas.codec import encode
from schemas.decision import Alert

log = Log("pager")

GROUP = "tierwatch-pager"
_AT_ONCE = 1_000
_TURN_S = 0.2
_ANSWER_S = 30.0
LONGEST_PAUSE_S = 15.0

_alert = msgspec.json.Decoder(Alert).decode
_case = msgspec.json.Decoder(Case).decode


class Pager:
    """One process of the group. Raises `BrokerError` where Kafka cannot be used; start it again then."""

    def __init__(self, settings: Settings) -> None:
        """Find the topics, and join the group."""
        known = Broker(settings).metadata().topics
        if missing := [topic for topic in ("alerts", "cases") if topic not in known]:
            raise TopicsError(f"topics are missing: {', '.join(missing)}. Make them with `tierwatch topics create`.")
        self._settings = settings
        self._manager = Alertmanager(settings.alertmanager)
        # Each partition's open cases, by customer: a customer's alerts are all on one.
        self._open: dict[int, dict[str, Case]] = {}
        self._untold: dict[str, Case] = {}
        self._heard = True
        self._pause_s, self._next_try = 0.5, 0.0
        client: dict[str, Any] = {**settings.librdkafka(), "log_level": 0}
        self._producer = Producer({**client, "transactional.id": f"{GROUP}-{uuid.uuid4()}", "compression.type": "lz4"})
        self._consumer = Consumer(
            {
                **client,
                "group.id": GROUP,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": int(settings.session_timeout * 1000),
                "partition.assignment.strategy": "cooperative-sticky",
            }
        )

    def run(self, told_to_stop: Callable[[], bool]) -> None:
        """Work until told to stop."""
        try:
            self._producer.init_transactions(_ANSWER_S)
            self._consumer.subscribe(["alerts"], on_assign=self._assigned, on_revoke=self._revoked)
            log.info("pager ready", alertmanager=self._settings.alertmanager)
            while not told_to_stop():
                self._take(self._consumer.consume(_AT_ONCE, _TURN_S))
                self._tell()
        except KafkaException as error:
            raise BrokerError(
                f"Kafka does not let cases be kept: {error.args[0].str()}. Start the pager again."
            ) from error
        finally:
            self._consumer.close()

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        """Know what is open on the partitions that are ours now, and tell it again."""
        numbers = {each.partition for each in partitions}
        self._open |= {number: {} for number in numbers}
        with WholeTopic(self._settings, "cases") as whole:
            for record in whole.to_the_end():
                if record.partition in numbers and record.value is not None:
                    case = _case(record.value)
                    self._open[record.partition][case.customer_id] = case
        now_ms = int(time.time() * 1000)
        for number in numbers:
            self._untold |= {case.case_id: case for case in self._open[number].values() if not is_over(case, now_ms)}
        log.info("cases known", partitions=sorted(numbers), open=sum(len(self._open[number]) for number in numbers))

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            gone = self._open.pop(each.partition, {})
            for case in gone.values():
                self._untold.pop(case.case_id, None)

    def _take(self, messages: list[Message]) -> None:
        changed: dict[tuple[int, str], Case] = {}
        for message in messages:
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - it has no public name
                    continue
                raise KafkaException(error)
            number = cast("int", message.partition())
            alert = _alert(message.value() or b"")
            case = join(self._open[number].get(alert.customer_id), alert)
            self._open[number][alert.customer_id] = case
            changed[number, case.case_id] = case
        if changed:
            self._commit(changed)
            self._untold |= {case_id: case for (_, case_id), case in changed.items()}

    def _commit(self, changed: Mapping[tuple[int, str], Case]) -> None:
        self._producer.begin_transaction()
        for (number, case_id), case in changed.items():
            headers = cloudevents.headers(Case, f"{case_id}-{case.alerts}", case.last_alert_at)
            # Beside its customer's alerts, whatever its own key's hash: who reads the ones reads the others.
            self._producer.produce("cases", encode(case), case_id, number, headers=list(headers))
        self._producer.send_offsets_to_transaction(
            self._consumer.position(self._consumer.assignment()), self._consumer.consumer_group_metadata(), _ANSWER_S
        )
        self._producer.commit_transaction(_ANSWER_S)

    def _tell(self) -> None:
        if not self._untold or time.monotonic() < self._next_try:
            return
        try:
            self._manager.tell([alert_of(case) for case in self._untold.values()])
        except UnheardError as error:
            if self._heard:
                log.error("nobody is paged: Alertmanager does not take cases", cases=len(self._untold), why=error)  # noqa: TRY400 - ours
            self._heard = False
            self._next_try = time.monotonic() + self._pause_s
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        else:
            if not self._heard:
                log.info("Alertmanager takes cases again", cases=len(self._untold))
            self._heard, self._pause_s = True, 0.5
            self._untold.clear()
