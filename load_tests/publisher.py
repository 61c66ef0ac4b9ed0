"""Publishes the city as a good processor does: keyed by murmur2, stamped with the arrival, nothing lost unsaid."""

from collections import Counter
from collections.abc import Mapping

from confluent_kafka import KafkaError, Message, Producer

from load_tests.city import Event

_FLUSH_SECONDS = 30
# Callbacks of deliveries are served this often.
_POLL_EVERY = 500


class Publisher:
    """`kafka` is what librdkafka needs to find and trust the broker.

    Raises:
        ConnectionError: a record was not taken by the broker; from any later call.

    """

    def __init__(self, kafka: Mapping[str, str]) -> None:
        self._producer = Producer(
            {
                **kafka,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "lz4",
            }
        )
        self._failure = ""
        # Records published, by topic.
        self.published: Counter[str] = Counter()
        self.largest_bytes = 1

    def publish(self, event: Event) -> None:
        """Send one record; waits only while the client's own buffer is full."""
        while True:
            try:
                self._producer.produce(
                    event.topic, event.value, event.key, on_delivery=self._delivered, timestamp=event.at_ms
                )
                break
            except BufferError:
                self._producer.poll(0.1)
                self._check()
        self.published[event.topic] += 1
        self.largest_bytes = max(self.largest_bytes, len(event.value))
        if self.published.total() % _POLL_EVERY == 0:
            self._producer.poll(0)
            self._check()

    def flush(self) -> None:
        """Wait until the broker has everything."""
        left = self._producer.flush(_FLUSH_SECONDS)
        self._check()
        if left:
            raise ConnectionError(f"the broker did not take {left} records within {_FLUSH_SECONDS} s")

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = f"a record for {message.topic()} was not taken: {error.str()}"

    def _check(self) -> None:
        if self._failure:
            raise ConnectionError(self._failure)
