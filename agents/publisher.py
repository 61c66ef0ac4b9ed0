"""Publishes records as a good processor does: keyed by murmur2, stamped with their own time, nothing lost unsaid."""

from collections.abc import Mapping

from confluent_kafka import KafkaError, Message, Producer

from agents.broker import BrokerError
from agents.exit_codes import Exit

# How long Kafka may be away before a record counts as lost.
PATIENCE_S = 60
_POLL_EVERY = 1_000
# Errors of the record, not of the broker.
_UNFIT = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_TIMESTAMP, KafkaError.INVALID_RECORD}


class UnfitRecordError(BrokerError):
    """Kafka answers, but never takes such a record."""

    exit_code = Exit.BAD_INPUT


class Publisher:
    """Sends records in order; `kafka` is what librdkafka needs to find and trust the broker.

    Raises:
        BrokerError: a record was not taken; from any later call.

    """

    def __init__(self, kafka: Mapping[str, str], patience_s: float = PATIENCE_S) -> None:
        """Connect when the first record is sent; a record that Kafka does not take for `patience_s` is lost."""
        self._failure: BrokerError | None = None
        self._sent = 0
        self._producer = Producer(
            {
                **kafka,
                # What Java's and aiokafka's clients do, and what workers check.
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 20,
                "message.timeout.ms": int(patience_s * 1000),
                "delivery.report.only.error": True,
                "log_level": 0,  # it repeats itself; what fails is raised
                "on_delivery": self._failed,
            }
        )

    def publish(self, topic: str, key: bytes | None, value: bytes, at_ms: int) -> None:
        """Send one record with the time `at_ms`; waits while the client's own buffer is full."""
        while True:
            try:
                self._producer.produce(topic, value, key, timestamp=at_ms)
                break
            except BufferError:
                self._producer.poll(0.1)
                self._check()
        self._sent += 1
        if self._sent % _POLL_EVERY == 0:
            self._producer.poll(0)
            self._check()

    def flush(self) -> None:
        """Return when Kafka has everything."""
        while self._producer.flush(1.0):
            self._check()
        self._check()

    def _failed(self, error: KafkaError | None, message: Message) -> None:
        if error is None or self._failure is not None:
            return
        kind = UnfitRecordError if error.code() in _UNFIT else BrokerError
        self._failure = kind(f"Kafka did not take a record for {message.topic()}: {error.str()}")

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
