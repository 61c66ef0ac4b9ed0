"""Makes cases of alerts on Kafka: one owner for each correlation key, whatever it hears counted once.

What is read, what the keys become, and what others must hear is one Kafka transaction. Alerts travel to their keys
through the topic `case-events`, unless the key is ours; a key's state stands on the same partition of `case-keys`.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents.broker import Broker
from agents.log import Log
from agents.paging.measure import PagerMetrics
from agents.paging.unread import UNREADABLE, letter_of, passed_over
from agents.paging.writer import Work, Writer
from agents.policy_topic import PolicyTopic
from agents.settings import Settings
from agents.topics import TopicsError
from agents.whole_topic import WholeTopic
from pipeline.cases.case import readable
from pipeline.cases.keeper import settle, take
from pipeline.cases.seen import seen_of
from pipeline.partitioning import partition_of
from pipeline.policy.incidents import Incidents
from pipeline.policy.model import Policy
from pipeline.record import InputRecord
from schemas.case_event import AnyCaseEvent
from schemas.case_key import CaseKey
from schemas.decision import Alert
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms

log = Log("cases")

GROUP = "tierwatch-cases"
TOPICS = ("alerts", "case-events", "case-keys", "case-members", "cases", "case-pages", "dead-letters")
_AT_ONCE = 500
_TURN_S = 0.1
_ANSWER_S = 30.0
_SETTLE_EVERY_S = 5.0
# A key of which nothing was heard for so long, and that has no open case, is forgotten.
_FORGOTTEN_MS = 3 * MS_PER_DAY

_alert = msgspec.json.Decoder(Alert).decode
_event = msgspec.json.Decoder(AnyCaseEvent).decode
_key = msgspec.json.Decoder(CaseKey).decode


def check_topics(settings: Settings) -> None:
    """See that all topics are there, and fit each other. Raises `BrokerError` or `TopicsError`."""
    known = Broker(settings).metadata().topics
    if missing := [topic for topic in TOPICS if topic not in known]:
        raise TopicsError(f"topics are missing: {', '.join(missing)}. Make them with `tierwatch topics create`.")
    if len({len(known[topic].partitions) for topic in ("case-events", "case-keys")}) > 1:
        raise TopicsError(
            "case-events and case-keys have different numbers of partitions: a key's state would not be beside its "
            "events. Delete both (open cases begin anew) and run `tierwatch topics create`."
        )


class Keeper:
    """One member of the group `tierwatch-cases`, from start to failure: what Kafka refuses is raised, and undone."""

    def __init__(self, settings: Settings, first: Policy, metrics: PagerMetrics) -> None:
        """Join when `run`."""
        self._settings = settings
        self._metrics = metrics
        self._assigned_once = False
        self._queues = {tier.service_channel for tier in first.tiers}
        self._keys: dict[int, dict[str, CaseKey]] = {}
        self._partitions = 0
        self._policies = PolicyTopic(settings, first)
        client: dict[str, Any] = {**settings.librdkafka(), "log_level": 0}
        self._writer = Writer(client, GROUP)
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

    def terms(self) -> Incidents:
        """Return what the policy in force says of cases."""
        return self._policies.book.in_force(int(time.time() * 1000)).cases

    def run(self, told_to_stop: Callable[[], bool]) -> None:
        """Work until told to stop. Raises `KafkaException`."""
        try:
            with self._policies:
                self._partitions = self._writer.open("case-events")
                self._consumer.subscribe(["alerts", "case-events"], on_assign=self._assigned, on_revoke=self._revoked)
                settle_at = 0.0
                while not told_to_stop():
                    self._metrics.looked("keeper", ready=self._assigned_once)
                    self._take(self._messages())
                    if time.monotonic() >= settle_at:
                        self._policies.follow()
                        self._settle()
                        settle_at = time.monotonic() + _SETTLE_EVERY_S
        finally:
            self._consumer.close()

    def _messages(self) -> list[Message]:
        """Wait for one, and take what else is there: to wait for many would make each hop wait."""
        first = self._consumer.poll(_TURN_S)
        return [] if first is None else [first, *self._consumer.consume(_AT_ONCE, 0)]

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = {each.partition for each in partitions if each.topic == "case-events"}
        if numbers:
            # A former owner's last transaction may still be open: positions are told when it has ended, and only then
            # is what stands on the topic all that those positions stand for.
            self._consumer.committed(partitions, _ANSWER_S)
            self._keys |= {number: {} for number in numbers}
            with WholeTopic(self._settings, "case-keys") as whole:
                for record in whole.to_the_end():
                    if record.partition in numbers:
                        self._remember(record)
            log.info("cases known", partitions=sorted(numbers), keys=sum(len(self._keys[each]) for each in numbers))
        self._assigned_once = True

    def _remember(self, record: InputRecord) -> None:
        keys, key = self._keys[record.partition], (record.key or b"").decode(errors="replace")
        if record.value is None:
            keys.pop(key, None)
            return
        try:
            state = _key(record.value)
            for case in state.cases:
                readable(case)
        except UNREADABLE as error:
            passed_over(record, error)
        else:
            keys[key] = state

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            if each.topic == "case-events":
                self._keys.pop(each.partition, None)

    def _take(self, messages: list[Message]) -> None:
        if not messages:
            return
        now_ms = int(time.time() * 1000)
        policy = self._policies.book.in_force(now_ms)
        work = Work()
        for message in messages:
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - it has no public name
                    continue
                raise KafkaException(error)
            try:
                self._one(message, work, policy, now_ms)
            except Exception as unfit:  # noqa: BLE001 - one record, of whatever kind, must not stop the others
                work.letters.append(letter_of(message, unfit))
        self._go_on(work, policy, now_ms)
        positions = self._consumer.position(self._consumer.assignment())
        self._writer.commit(work, now_ms, positions, self._consumer)
        for topic, count in Counter(str(message.topic()) for message in messages).items():
            self._metrics.counted("case_events", (topic,), count)

    def _one(self, message: Message, work: Work, policy: Policy, now_ms: int) -> None:
        value = message.value() or b""
        if message.topic() == "alerts":
            alert = _alert(value)
            work.onward.append(seen_of(alert, self._policies.book.in_force(parse_ms(alert.arrived_at)), now_ms))
            return
        self._hear(_event(value), cast("int", message.partition()), work, policy, now_ms)

    def _hear(self, event: AnyCaseEvent, number: int, work: Work, policy: Policy, now_ms: int) -> None:
        taken = take(self._keys[number].get(event.key) or CaseKey(key=event.key), event, policy.cases, now_ms)
        self._keys[number][event.key] = taken.state
        work.add(number, taken)

    def _go_on(self, work: Work, policy: Policy, now_ms: int) -> None:
        """Let keys that are ours hear at once what is for them: a hop through Kafka takes a transaction of its own."""
        left, work.onward = deque(work.onward), []
        others: list[AnyCaseEvent] = []
        while left:
            event = left.popleft()
            number = partition_of(event.key.encode(), self._partitions)
            if number not in self._keys:
                others.append(event)
                continue
            try:
                self._hear(event, number, work, policy, now_ms)
            except Exception:  # noqa: BLE001 - as a record of its own it becomes a dead letter
                others.append(event)
            left += work.onward
            work.onward = []
        work.onward = others

    def _settle(self) -> None:
        """Let time pass for all keys that are ours, and forget what is long over."""
        now_ms = int(time.time() * 1000)
        terms = self._policies.book.in_force(now_ms).cases
        work = Work()
        for number, keys in self._keys.items():
            for key, state in list(keys.items()):
                if any(case.state == "open" for case in state.cases):
                    taken = settle(state, terms, now_ms)
                    if taken.cases:
                        keys[key] = taken.state
                        work.add(number, taken)
                elif now_ms - _last_ms(state) > _FORGOTTEN_MS:
                    del keys[key]
                    work.states[number, key] = None
        if work.states:
            self._writer.commit(work, now_ms, [], self._consumer)
        self._measure(format_ms(now_ms))

    def _measure(self, now: str) -> None:
        cases = [
            case
            for keys in self._keys.values()
            for state in keys.values()
            for case in state.cases
            if case.state == "open"
        ]
        self._metrics.counted("cases_open", (), len(cases))
        overdue = Counter(case.queue for case in cases if not case.assignee and case.due_at < now)
        for queue in self._queues | overdue.keys():
            self._metrics.counted("cases_overdue", (queue,), overdue[queue])
        self._queues |= overdue.keys()


def _last_ms(state: CaseKey) -> int:
    """Return when it last had to do with anything."""
    times: Iterable[int] = [
        *(parse_ms(case.touched_at) for case in state.cases),
        *(at_ms for watch in state.watches for _, at_ms in watch.customers),
        *(back.at_ms for back in state.send_back),
    ]
    return max(times, default=0)
