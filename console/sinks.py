"""Where ingested records go: lines on standard output, or Kafka."""

import sys
from dataclasses import replace
from typing import Protocol

from agents.broker import Broker
from agents.publisher import Publisher
from agents.settings import Settings
from agents.topics import TopicsError, look
from console.rows import Outgoing


class Sink(Protocol):
    """Takes records in order."""

    def send(self, record: Outgoing) -> None:
        """Take one record."""

    def finish(self) -> None:
        """Return when all of them are where they belong."""


class Lines:
    """What `replay` reads. Key and time are left out: a record's own are the default."""

    def __init__(self) -> None:
        self._out = sys.stdout.buffer

    def send(self, record: Outgoing) -> None:
        """Write one line."""
        self._out.write(b'{"topic":"%b","value":%b}\n' % (record.topic.encode(), record.value))

    def finish(self) -> None:
        """Write what is still buffered."""
        self._out.flush()


class Kafka:
    """History topics: each record carries its own time.

    Raises:
        BrokerError: Kafka does not answer, lets nobody in, or has no topics that keep a record's own time.

    """

    def __init__(self, settings: Settings, to: str) -> None:
        """Connect to `to`, by default to the broker of the settings."""
        settings = replace(settings, broker=to) if to else settings
        hint = (
            "History needs topics that keep a record's own time: `tierwatch topics create --history` on an empty Kafka."
        )
        try:
            layout = look(Broker(settings))
        except TopicsError as error:
            raise TopicsError(f"{error} {hint}") from None
        if layout.live:
            raise TopicsError(
                f"the topics at {settings.broker} stamp records with the broker's time (LogAppendTime). {hint}"
            )
        self._publisher = Publisher(settings.librdkafka())

    def send(self, record: Outgoing) -> None:
        """Publish one record."""
        self._publisher.publish(record.topic, record.key, record.value, record.at_ms)

    def finish(self) -> None:
        """Wait for Kafka."""
        self._publisher.flush()
