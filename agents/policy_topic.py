"""The topic `policies` as a command sees it: what was said, what came of it, and one more event on it."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from msgspec.json import Decoder, encode

from agents.broker import BrokerError
from agents.first_policy import OtherPolicyError, initial_digest
from agents.publisher import Publisher
from agents.settings import Settings
from agents.whole_topic import WholeTopic
from pipeline.books import Books
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import policy_digest
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import InputRecord
from schemas.audit import AuditEntry
from schemas.codec import Undecodable, decode_policy_event
from schemas.policy_event import PolicyProposed

TOPIC = "policies"
# An event comes back from a healthy broker within milliseconds.
_PATIENCE_S = 30
# Long enough for what was fetched already.
_GLANCE_S = 0.01

_entry = Decoder(AuditEntry).decode


class PolicyTopic:
    """The topic, read to its end: `with PolicyTopic(settings, first) as topic`.

    `book` is what every worker has by now, `entries` what became of each event, in order, and `texts` the YAML of each
    version proposed, by digest; the first policy's is not among them.

    Raises:
        BrokerError: Kafka does not give the topic, or does not take an event.
        OtherPolicyError: the house began with another policy than `first`.

    """

    def __init__(self, settings: Settings, first: Policy) -> None:
        """Find the topic."""
        self.entries: list[AuditEntry] = []
        self.texts: dict[str, str] = {}
        self.book = PolicyBook(first)
        self._books = Books(self.book, Rates())
        self._settings = settings
        self._first = first
        self._began: str | None = None
        self._records = WholeTopic(settings, TOPIC)

    def __enter__(self) -> Self:
        self._records.__enter__()
        for record in self._records.to_the_end():
            self._take(record)
        if self._began is not None and self._began != self._first.digest:
            raise OtherPolicyError(
                f"the house began with the policy {self._began[:12]}…, and this file is {self._first.digest[:12]}…: "
                "name the file that the workers were started with in TIERWATCH_POLICY."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._records.__exit__(kind, error, trace)

    def say(self, event: Mapping[str, Any]) -> AuditEntry:
        """Publish an event and return what comes of it: what every worker makes of it, and what the audit will say."""
        publisher = Publisher(self._settings.librdkafka())
        publisher.publish(TOPIC, self._first.name.encode(), encode(event), int(time.time() * 1000))
        publisher.flush()
        for record in self._records.more(_PATIENCE_S):
            for entry in self._take(record):
                if entry.event_id == event["event_id"]:
                    return entry
        raise BrokerError(
            f"Kafka at {self._settings.broker} took the event and does not give it back: look at "
            "`tierwatch policy history`"
        )

    def follow(self) -> None:
        """Take what has come by now."""
        for record in self._records.more(_GLANCE_S):
            self._take(record)

    def _take(self, record: InputRecord) -> list[AuditEntry]:
        if self._began is None:
            self._began = initial_digest(record.value)
        made = [_entry(message.value or b"") for message in self._books.take(record) if message.topic == "audit"]
        self.entries += made
        self.texts |= _proposed(record.value)
        return made


def _proposed(value: bytes | None) -> dict[str, str]:
    try:
        event = decode_policy_event(value or b"").message
    except Undecodable:
        return {}
    return {policy_digest(event.yaml.encode()): event.yaml} if isinstance(event, PolicyProposed) else {}
