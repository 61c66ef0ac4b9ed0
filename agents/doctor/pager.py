"""The pager's groups: does anybody make cases and tell of them, and does either stand still?"""

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.doctor.finding import Finding, ill, warning, well
from agents.doctor.group import MANY, ends, members
from agents.doctor.tail import since
from agents.paging import keeper, teller
from agents.paging.standing import read_case
from agents.paging.unread import UNREADABLE
from agents.settings import Settings
from schemas.timestamps import format_ms

_ANSWER_S = 10.0
# A case waits a minute at most before it is told of, and each reader notes every second how far it is.
STANDS_STILL_MS = 120_000


class _Reader(NamedTuple):
    group: str
    topics: tuple[str, ...]
    do: str


_READERS = (
    _Reader(
        keeper.GROUP,
        ("alerts", "case-events"),
        "Look at the pager's log: dashboards/runbooks/TierwatchPagerRestarts.md",
    ),
    _Reader(teller.GROUP, ("cases",), "A receiver may take nothing: dashboards/runbooks/TierwatchReceiverSilent.md"),
)


def pager(settings: Settings, admin: AdminClient, partitions: Mapping[str, int]) -> Iterator[Finding]:
    """See who is in its groups, how much waits for each, and since when; `partitions` by topic."""
    wanted = bool(settings.alertmanager or settings.pagerduty_key or settings.webhook)
    for reader in _READERS:
        places = [TopicPartition(topic, number) for topic in reader.topics for number in range(partitions[topic])]
        try:
            present, _ = members(admin, reader.group)
            told = _committed(admin, reader.group, places)
            end = ends(admin, places, IsolationLevel.READ_COMMITTED)
        except KafkaException as error:
            yield warning("pager", f"Kafka does not tell of {reader.group}: {error.args[0].str()}", "Look at its log.")
            continue
        if present:
            yield _progress(settings, reader, told, end)
        elif wanted or any(told.values()):
            yield ill("pager", f"nobody is in {reader.group}: nobody is paged", "Start one: tierwatch pager")
        else:
            yield well("pager", f"nobody is in {reader.group}, and no receiver is set")


def _committed(admin: AdminClient, group: str, places: list[TopicPartition]) -> dict[tuple[str, int], int]:
    request = ConsumerGroupTopicPartitions(group, places)
    told = admin.list_consumer_group_offsets([request], request_timeout=_ANSWER_S)[group].result()
    return {(each.topic, each.partition): max(0, each.offset) for each in told.topic_partitions or ()}


def _progress(
    settings: Settings, reader: _Reader, told: Mapping[tuple[str, int], int], end: Mapping[tuple[str, int], int]
) -> Finding:
    waiting = {place: told.get(place, 0) for place in end if end[place] > told.get(place, 0)}
    count = sum(end[place] - offset for place, offset in waiting.items())
    if count >= MANY:
        return warning("pager", f"{count:,} records wait for {reader.group}", reader.do)
    now_ms = int(time.time() * 1000)
    since_ms = min(_since_ms(since(settings, waiting), format_ms(now_ms)), default=now_ms)
    if now_ms - since_ms > STANDS_STILL_MS:
        says = f"{reader.group} stands still: what it has to do next waits since {format_ms(since_ms)}"
        return warning("pager", says, reader.do)
    return well("pager", f"{reader.group} is at work, {count:,} records wait")


def _since_ms(messages: list[Message], now: str) -> Iterator[int]:
    """Yield since when things wait; not of cases that are put off, for which the teller waits itself."""
    first: dict[object, int] = {}
    asleep: dict[object, bool] = {}
    for message in messages:
        what: object = (message.topic(), message.partition(), message.offset())
        sleeps = False
        if message.topic() == "cases":
            try:
                case = read_case(message.value() or b"")
            except UNREADABLE:
                pass
            else:
                what, sleeps = case.case_id, case.snoozed_until > now
        first.setdefault(what, message.timestamp()[1])
        asleep[what] = sleeps
    return (at_ms for what, at_ms in first.items() if not asleep[what])
