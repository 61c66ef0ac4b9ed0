"""What the newest records tell: of processors, policies, clocks, versions, and transactions that hang."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec
from confluent_kafka import IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.doctor.finding import Finding, ill, warning, well
from agents.doctor.group import ends
from agents.doctor.tail import newest
from agents.engine.clock import FURTHEST_MS
from agents.engine.journal import ENGINE_VERSION
from agents.paging.unread import UNREADABLE
from agents.policy_topic import PolicyTopic
from agents.settings import Settings
from agents.sources import shown
from pipeline.cards import card_like_ids
from pipeline.partitioning import belongs_to
from pipeline.policy.model import Policy
from schemas.codec import Undecodable, decode_transaction
from schemas.journal import JournalRecord
from schemas.topics import TRANSACTION_TOPICS

SAMPLE = 200
# A tenth of all long numeric ids pass Luhn; more is no accident.
MANY_CARD_LIKE = 0.2
# A transaction lives 15 s at most; ours end with their owner.
HANGS_MS = 60_000
_journal = msgspec.json.Decoder(JournalRecord).decode


def processors(settings: Settings, admin: AdminClient, partitions: int) -> Iterator[Finding]:
    """See whether keys are where murmur2 puts them, and whether ids look like card numbers."""
    wrong, card_like, seen = Counter[str](), Counter[str](), Counter[str]()
    for message in newest(settings, _ends(admin, TRANSACTION_TOPICS, partitions), SAMPLE):
        source = "a processor that cannot be read"
        try:
            transaction, _ = decode_transaction(message.value() or b"")
        except Undecodable:
            pass
        else:
            if named := transaction.source or _header(message, "ce_source"):
                source = shown(named)
            card_like[source] += card_like_ids(transaction) > 0
        seen[source] += 1
        wrong[source] += not belongs_to(_key(message), cast("int", message.partition()), partitions)
    for source in sorted(seen):
        if wrong[source]:
            do = (
                "In librdkafka set partitioner=murmur2_random; Java and aiokafka do so by themselves. Then replay them."
            )
            yield ill("partitioner", f"{source}: {wrong[source]} of {seen[source]} keys on a wrong partition", do)
        if card_like[source] > MANY_CARD_LIKE * seen[source]:
            do = "Ask its owners whether they send card numbers as ids: they must send tokens."
            yield warning("ids", f"{source}: {card_like[source]} of {seen[source]} have ids like card numbers", do)
    if not wrong.total():
        yield well("partitioner", f"the newest {seen.total():,} transactions are on the partitions of their keys")


def journal(settings: Settings, admin: AdminClient, partitions: int, first: Policy) -> Iterator[Finding]:
    """See by which policy and version each partition was judged last, and what time the broker had."""
    records: dict[int, tuple[int, JournalRecord]] = {}
    for message in newest(settings, _ends(admin, ("journal",), partitions), SAMPLE):
        number = cast("int", message.partition())
        try:
            records[number] = (message.timestamp()[1], _journal(message.value() or b""))
        except UNREADABLE:
            do = "Look who else may write there: only workers should. If a newer worker wrote it, upgrade this program."
            yield warning("journal", f"partition {number} holds what is no journal record at {message.offset()}", do)
    if not records:
        yield well("journal", "nothing has been judged yet")
        return
    yield from _policies(settings, first, records)
    versions = sorted({record.engine_version for _, record in records.values()})
    if len(versions) > 1:
        do = "During a rolling upgrade that is right. Otherwise upgrade the workers that are behind."
        yield warning("versions", f"partitions were last judged by {' and '.join(versions)}", do)
    else:
        yield well("versions", f"this is {ENGINE_VERSION}, and all partitions were last judged by {versions[0]}")
    ahead_ms = max(at_ms for at_ms, _ in records.values()) - int(time.time() * 1000)
    if ahead_ms > FURTHEST_MS:
        yield ill("clock", f"this machine is at least {ahead_ms / 1000:.0f} s behind the broker", "Set it, with NTP.")
    else:
        yield well("clock", "the broker's newest record does not contradict this machine's clock")


def _policies(settings: Settings, first: Policy, records: Mapping[int, tuple[int, JournalRecord]]) -> Iterator[Finding]:
    with PolicyTopic(settings, first) as topic:
        book = topic.book
    for number, (at_ms, record) in sorted(records.items()):
        right = book.in_force(at_ms)
        if record.policy_hash != right.digest:
            says = f"partition {number} was last judged by version {record.policy_version}, not {right.version}"
            yield ill("policy", says, "Restart its worker: dashboards/runbooks/TierwatchPolicySkew.md")
            return
    now = book.in_force(int(time.time() * 1000))
    yield well("policy", f"{now.name} version {now.version} ({now.digest[:12]}…) is in force, on all partitions")


def transactions(settings: Settings, admin: AdminClient, topics: Mapping[str, int]) -> Iterator[Finding]:
    """See whether an open Kafka transaction holds up readers of committed data."""
    everything = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
    try:
        last = ends(admin, everything, IsolationLevel.READ_UNCOMMITTED)
        stable = ends(admin, everything, IsolationLevel.READ_COMMITTED)
    except KafkaException as error:
        yield warning("transactions", f"Kafka does not tell: {error.args[0].str()}", "Look at its log.")
        return
    held = {partition: end for partition, end in stable.items() if end < last[partition]}
    now_ms = int(time.time() * 1000)
    # The record at the stable end is the first of the open transaction.
    firsts = newest(settings, {partition: end + 1 for partition, end in held.items()}, 1, committed=False)
    hanging = [
        each for each in firsts if each.offset() == held.get(_place(each)) and now_ms - each.timestamp()[1] > HANGS_MS
    ]
    for each in hanging:
        topic, number = _place(each)
        at = f"--bootstrap-server {settings.broker} abort --topic {topic} --partition {number}"
        age_s = (now_ms - each.timestamp()[1]) // 1000
        says = f"{topic}[{number}] is held up at {each.offset()} by a transaction that is {age_s} s old"
        yield ill("transactions", says, f"kafka-transactions.sh {at} --start-offset {each.offset()}")
    if not hanging:
        yield well("transactions", "none hangs")


def _ends(admin: AdminClient, topics: tuple[str, ...], partitions: int) -> dict[tuple[str, int], int]:
    return ends(
        admin,
        [TopicPartition(topic, number) for topic in topics for number in range(partitions)],
        IsolationLevel.READ_COMMITTED,
    )


def _place(message: Message) -> tuple[str, int]:
    return cast("tuple[str, int]", (message.topic(), message.partition()))


def _key(message: Message) -> bytes:
    return message.key() or b""


def _header(message: Message, name: str) -> str:
    value = dict(message.headers() or ()).get(name)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
