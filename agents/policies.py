"""What every worker reads whole: policies, rates, lists, entity risk. A worker is ready when it has read all of them.

Each worker applies every record to its own books, and a record may make messages: an audit entry, a dead letter. They
are published once, by the owner of partition 0: its positions say how far they have come, in the transaction that
publishes them. Whoever takes that partition over has read the same topics and goes on from there.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, ConsumerRecord

from agents.engine.journal import Seen
from agents.engine.shard import Shard
from agents.first_policy import OtherPolicyError, initial_digest
from agents.follow import Follower
from agents.log import Log
from agents.patience import connect
from agents.topics import Layout
from pipeline.books import Books
from pipeline.policy.book import PolicyBook
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import Message
from schemas.codec import encode
from schemas.policy_event import PolicyInitial
from schemas.timestamps import format_ms
from schemas.topics import SHARED_TOPICS

log = Log("policies")

# The partition whose owner publishes what shared records make.
SPEAKER = 0


class Said(NamedTuple):
    """Messages that a record made, and the position after it."""

    topic: str
    next_offset: int
    messages: Sequence[Message]


class SharedBooks(Follower):
    """Follows `policies`, `rates`, `lists` and `entity-risk`, and keeps the books of this worker by them."""

    def __init__(self, first: Policy, client: Mapping[str, Any], layout: Layout) -> None:
        super().__init__(client, layout, SHARED_TOPICS, self._apply)
        self.first = first
        self.books = Books(PolicyBook(first), Rates())
        self._next: dict[str, dict[int, int]] = {topic: {} for topic in SHARED_TOPICS}
        # All that was ever said: few words, and whoever owns the speaking partition next may need the last of them.
        self._said: list[Said] = []
        self._speaker: Shard | None = None
        self._initial: str | None = None

    async def on_start(self) -> None:
        """Read the topics to their ends, and see to it that the first policy's hash stands on the topic."""
        await super().on_start()
        first = self.first
        if self._initial is None:
            await self._announce()
        elif self._initial != first.digest:
            raise OtherPolicyError(
                f"the policies topic began with the policy {self._initial[:12]}…, and TIERWATCH_POLICY is "
                f"{first.digest[:12]}…: workers would judge differently. Start this one with the first file; "
                "a change of policy is proposed and approved."
            )

    def seen(self, at_ms: int) -> Seen:
        """Return what a unit of work at `at_ms` is judged with."""
        policy = self.books.policies.in_force(at_ms)
        return Seen(policy.version, policy.digest, *(sum(self._next[topic].values()) for topic in SHARED_TOPICS))

    def begin(self, shard: Shard) -> None:
        """Let a new owner of the speaking partition publish what is still unsaid."""
        if shard.number == SPEAKER:
            self._speaker = shard
            for said in self._said:
                self._publish(said)

    def _apply(self, record: ConsumerRecord) -> None:
        before = self.books.policies.in_force(record.timestamp)
        messages = self.books.take(record)
        self._next[record.topic][record.partition] = record.offset + 1
        if record.topic == "policies" and self._initial is None:
            self._initial = initial_digest(record.value)
        if messages:
            # Only the embedded broker spreads these topics over several partitions.
            name = record.topic if record.partition == 0 else f"{record.topic}#{record.partition}"
            said = Said(name, record.offset + 1, messages)
            self._said.append(said)
            self._publish(said)
        after = self.books.policies.in_force(record.timestamp)
        if after is not before:
            log.info("policy in force", policy=after.name, version=after.version, digest=after.digest)

    def _publish(self, said: Said) -> None:
        if self._speaker is not None and not self._speaker.dead:
            self._speaker.publish(said.messages, said.topic, said.next_offset)

    async def _announce(self) -> None:
        first = self.first
        event = PolicyInitial(
            # The same from every worker: the second of two that start together is a repetition.
            event_id=f"initial-{first.digest[:32]}",
            policy=first.name,
            occurred_at=format_ms(int(time.time() * 1000)),
            actor="tierwatch",
            version=first.version,
            digest=first.digest,
        )
        producer = AIOKafkaProducer(**self._client, acks="all")
        await connect(producer)
        try:
            await producer.send_and_wait("policies", encode(event), key=first.name.encode())
        finally:
            await producer.stop()
        log.info("first policy announced", policy=first.name, version=first.version, digest=first.digest)
