"""A consumer of its own beside the worker: reads what stands on the broker and enters it into the ledger."""

from collections.abc import Callable
from typing import cast

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from agents.broker import BrokerError
from load_tests.city.score import Score
from load_tests.ledger import Ledger, Place
from load_tests.life_ledger import Request
from schemas.audit import AuditEntry
from schemas.dead_letter import Headers, parse
from schemas.decision import Alert, Decision
from schemas.journal import JournalRecord
from schemas.topics import TRANSACTION_TOPICS

_DECISION = msgspec.json.Decoder(Decision)
_ALERT = msgspec.json.Decoder(Alert)
_AUDIT = msgspec.json.Decoder(AuditEntry)
_REQUEST = msgspec.json.Decoder(Request)
_JOURNAL = msgspec.json.Decoder(JournalRecord)
_AT_ONCE = 2_000
_ANSWER_SECONDS = 30


class Watcher:
    """Reads every topic it needs from the beginning, outside of any consumer group, and hands alerts on as they come.

    Raises:
        BrokerError: a partition cannot be read; also while polling.

    """

    def __init__(self, broker: str, ledger: Ledger, score: Score, on_alert: Callable[[Alert], None]) -> None:
        self._ledger = ledger
        self._score = score
        self._on_alert = on_alert
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "tierwatch-ledger",  # librdkafka wants a name even where no group is joined
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "log_level": 0,  # a broker that is gone shows as books that no longer move
            }
        )
        self._partitions = [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in (*TRANSACTION_TOPICS, "decisions", "alerts", "re-reviews", "audit", "dead-letters", "journal")
            for partition in self._consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
        ]
        self._consumer.assign(self._partitions)

    def poll(self, seconds: float) -> None:
        """Enter what has come, waiting for at most `seconds`."""
        for message in self._consumer.consume(_AT_ONCE, seconds):
            if (error := message.error()) is not None:
                raise BrokerError(f"cannot read {message.topic()}: {error.str()}")
            place = Place(*cast("tuple[str, int, int]", (message.topic(), message.partition(), message.offset())))
            self._enter(place, message.value(), cast("Headers", message.headers() or ()))

    def drain(self) -> None:
        """Enter everything that stands on the broker now."""
        ends = [self._consumer.get_watermark_offsets(each, timeout=_ANSWER_SECONDS) for each in self._partitions]
        # A position counts control records too, which the last offset read does not.
        while any(
            position.offset < high
            for position, (low, high) in zip(self._consumer.position(self._partitions), ends, strict=True)
            if high > low
        ):
            self.poll(0.1)

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()

    def _enter(self, place: Place, value: bytes | None, headers: Headers) -> None:
        match place.topic:
            case "decisions":
                decision = _DECISION.decode(value or b"")
                self._ledger.decision(decision)
                if decision.outcome != "pass":
                    self._score.flagged(decision.transaction_id)
            case "alerts":
                alert = _ALERT.decode(value or b"")
                self._ledger.alerts += 1
                self._score.alerted(alert.transaction_id, live_rules(alert))
                self._on_alert(alert)
            case "re-reviews":
                self._ledger.re_reviews += 1
                self._ledger.life.request(_REQUEST.decode(value or b""))
            case "audit":
                self._ledger.life.audit(_AUDIT.decode(value or b""))
            case "dead-letters":
                letter = parse(headers)
                self._ledger.dead_letter(letter)
                self._ledger.life.dead_letter(letter)
            case "journal":
                self._ledger.journal(_JOURNAL.decode(value or b""))
            case _:
                self._ledger.transaction(place, value)


def live_rules(alert: Alert) -> tuple[str, ...]:
    """Return the rules that an alert stands on, the weightiest first."""
    live = [signal for signal in alert.signals if signal.mode == "live"]
    return tuple(signal.rule for signal in sorted(live, key=lambda signal: -signal.points))
