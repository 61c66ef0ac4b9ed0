"""Tells receivers of cases: read-committed, at least once, each by its key, and never more than people can take.

What was told stands on `case-pages`, beside its case's partition: whoever takes that over goes on from there.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from agents.log import Log
from agents.paging.listeners import Listeners
from agents.paging.measure import PagerMetrics
from agents.paging.pages import Pages
from agents.paging.receivers import Receiver
from agents.paging.standing import read_case, standing
from agents.paging.unread import UNREADABLE, letter_of
from agents.settings import Settings
from pipeline.cases.notice import CASE_NAME, is_backlog, loudness, notice_of, told_from_ms
from pipeline.cases.storm import Storm, Summary, is_paged, summary_of
from pipeline.policy.incidents import Incidents
from pipeline.record import Message as Outgoing
from schemas.case import Case
from schemas.case_page import CasePage
from schemas.timestamps import format_ms

log = Log("pager")

GROUP = "tierwatch-pager"
_AT_ONCE = 500
_TURN_S = 0.1
_TIDY_EVERY_S = 1.0


class _Waiting(NamedTuple):
    case: Case
    partition: int
    offset: int


class Teller:
    """One member of the group `tierwatch-pager`. Raises `KafkaException` where Kafka fails; begin anew then."""

    def __init__(
        self, settings: Settings, receivers: Sequence[Receiver], terms: Callable[[], Incidents], metrics: PagerMetrics
    ) -> None:
        """Join when `run`. `terms` are those in force."""
        self._settings = settings
        self._terms = terms
        self._metrics = metrics
        self._assigned_once = False
        self._waiting: dict[str, _Waiting] = {}
        # Of what waits for receivers, where its case stands.
        self._sent: dict[str, _Waiting] = {}
        self._behind: set[int] = set()
        self._positions: dict[int, int] = {}
        self._storm = Storm(settings.pages_per_minute)
        self._receivers = receivers
        client: dict[str, Any] = {**settings.librdkafka(), "log_level": 0}
        self._producer = Producer({**client, "enable.idempotence": True, "compression.type": "lz4", "linger.ms": 5})
        self._pages = Pages(settings, self._producer)
        self._consumer = Consumer(
            {
                **client,
                "group.id": GROUP,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": int(settings.session_timeout * 1000),
                "partition.assignment.strategy": "cooperative-sticky",
            }
        )

    def run(self, told_to_stop: Callable[[], bool]) -> None:
        """Work until told to stop."""
        self._listeners = Listeners(self._receivers, self._pages, self._metrics)
        try:
            with self._listeners:
                self._consumer.subscribe(["cases"], on_assign=self._assigned, on_revoke=self._revoked)
                tidy_at = 0.0
                while not told_to_stop():
                    self._metrics.looked("teller", ready=self._assigned_once and not self._behind)
                    first = self._consumer.poll(self._turn_s())
                    if first is not None:
                        self._take([first, *self._consumer.consume(_AT_ONCE, 0)])
                    self._tell()
                    self._note()
                    if time.monotonic() >= tidy_at:
                        self._tidy()
                        tidy_at = time.monotonic() + _TIDY_EVERY_S
        finally:
            self._note()
            self._producer.flush(5)
            self._consumer.close()

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = {each.partition for each in partitions}
        self._behind |= numbers
        self._pages.assigned(numbers)
        self._storm = Storm.remembered(self._settings.pages_per_minute, self._pages)
        for notice in standing(self._settings, self._pages, self._terms(), numbers):
            self._listeners.remind(notice)
        for summary in self._storm.summaries.values():
            self._listeners.remind(summary.notice())
        self._assigned_once = True
        log.info("pages known", partitions=sorted(numbers), cases=sum(1 for _ in self._pages))

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._listeners.forget(self._pages.revoked(each.partition))
            self._positions.pop(each.partition, None)
            self._behind.discard(each.partition)
        for held in (self._waiting, self._sent):
            for case_id in [name for name, one in held.items() if one.partition not in self._pages]:
                del held[case_id]
        # Whoever has them now goes on with their summaries, and says when these are over.
        self._storm = Storm.remembered(self._settings.pages_per_minute, self._pages)

    def _take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            error, number = message.error(), cast("int", message.partition())
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - it has no public name
                    raise KafkaException(error)
                self._behind.discard(number)
                continue
            offset = cast("int", message.offset())
            self._positions[number] = offset + 1
            value = message.value()
            if value is not None and number in self._pages:
                try:
                    case = read_case(value)
                except UNREADABLE as unread:
                    self._set_aside(letter_of(message, unread))
                    continue
                held = self._waiting.get(case.case_id)
                self._waiting[case.case_id] = _Waiting(case, number, held.offset if held else offset)

    def _set_aside(self, letter: Outgoing) -> None:
        self._producer.produce(letter.topic, letter.value, letter.key, headers=list(letter.headers))

    def _turn_s(self) -> float:
        """Return how long it may wait for records: no longer than until something is due."""
        now_ms = time.time() * 1000
        due = (told_from_ms(each.case) for each in self._waiting.values() if each.partition not in self._behind)
        soonest_s = min((at_ms - now_ms) / 1000 for at_ms in (*due, math.inf))
        return min(_TURN_S, max(0.0, soonest_s))

    def _tell(self) -> None:
        """Hand out what is due. An old version of a case is not told before its newest has been read."""
        now_ms = int(time.time() * 1000)
        due = [
            each
            for each in self._waiting.values()
            if each.partition not in self._behind and told_from_ms(each.case) <= now_ms
        ]
        terms = self._terms() if due else Incidents()
        for each in sorted(due, key=lambda each: (each.case.opened_at, each.case.case_id)):
            del self._waiting[each.case.case_id]
            self._hand_out(each, terms, now_ms)

    def _hand_out(self, each: _Waiting, terms: Incidents, now_ms: int) -> None:
        case = each.case
        before = self._pages.find(each.partition, case.case_id)
        if before is None and case.state == "absorbed":
            return  # nobody has heard of it, and nobody needs to
        loud = loudness(case)
        summary = summary_of(before, case)
        if case.state == "open" and loud == "page" and not summary and not is_paged(before):
            joined = self._storm.summary_for(now_ms, backlog=is_backlog(case))
            if joined is not None:
                summary = joined.key
                self._tell_of(joined, each)
        if summary:  # its page is the summary's
            loud = "ticket"
            self._tell_again(summary, each)
        notice = notice_of(case, loud, terms, now_ms)
        wanting = self._listeners.wanting(notice, before)
        if before is None or before.said != notice.said or before.summary != summary:
            names = tuple(name for name in self._listeners.names if name not in wanting)
            page = CasePage(
                case_id=case.case_id,
                said=notice.said,
                loudness=loud,
                at=format_ms(now_ms),
                receivers=names,
                summary=summary,
            )
            self._pages.write(each.partition, page)
        if wanting:
            self._sent[case.case_id] = each
        self._listeners.tell(notice, wanting)

    def _tell_of(self, summary: Summary, newest: _Waiting) -> None:
        """Tell of a summary with one case more."""
        notice = summary.notice()
        self._sent.setdefault(notice.key, newest)
        self._pages.write_notice(notice, notice.key, newest.partition)
        self._listeners.tell(notice, self._listeners.names)

    def _tell_again(self, key: str, each: _Waiting) -> None:
        """Whoever died may have told of a case, and not yet of the summary that it is part of."""
        summary = next((one for one in self._storm.summaries.values() if one.key == key), None)
        page = self._pages.find(each.partition, key)
        if summary is not None and key not in self._sent and (page is None or not self._all_took(page)):
            self._tell_of(summary, each)

    def _all_took(self, page: CasePage) -> bool:
        return len(page.receivers) == len(self._listeners)

    def _note(self) -> None:
        """Write down what receivers took."""
        for done in self._listeners.done():
            self._metrics.counted("notices", (done.receiver, done.outcome), len(done.notices))
            if done.outcome == "failed":
                continue
            now_s = time.time()
            for notice in done.notices:
                each = self._sent.get(notice.key)
                page = self._pages.find(each.partition, notice.key) if each else None
                if each is None or page is None:
                    continue
                if done.receiver not in page.receivers and page.said == notice.said:
                    if notice.state == "open" and notice.name == CASE_NAME:
                        self._metrics.counted(
                            "page_seconds", (done.receiver,), max(0.0, now_s - notice.since_ms / 1000)
                        )
                    page = msgspec.structs.replace(page, receivers=(*page.receivers, done.receiver))
                    self._pages.write(each.partition, page)
                if self._all_took(page):
                    del self._sent[notice.key]

    def _tidy(self) -> None:
        """Say what is over and who is dead, and how far we are."""
        now_ms = int(time.time() * 1000)
        for summary in self._storm.over(now_ms):
            notice = summary.notice(over=True)
            self._pages.write_notice(notice, notice.key)
            self._listeners.tell(notice, self._listeners.names)
        self._listeners.look()
        self._commit()

    def _commit(self) -> None:
        """Positions go no further than the first case that somebody has still to hear of."""
        if self._producer.flush(1):
            return
        floors: dict[int, int] = dict(self._positions)
        for each in (*self._waiting.values(), *self._sent.values()):
            floors[each.partition] = min(floors.get(each.partition, each.offset), each.offset)
        if floors:
            self._consumer.commit(
                offsets=[TopicPartition("cases", number, offset) for number, offset in floors.items()],
                asynchronous=True,
            )
