"""The topic `lists` as a command sees it: what was said, what holds, and one more entry on it."""

import time
from typing import NamedTuple

from agents.publisher import Publisher
from agents.settings import Settings
from agents.whole_topic import accepted
from pipeline.lists import Listed, Lists
from schemas.codec import decode_list_entry, encode
from schemas.list_entry import ListEntry

TOPIC = "lists"


class Told(NamedTuple):
    """All that was ever said, in order, and what holds now, ended entries left out."""

    history: list[ListEntry]
    holds: list[Listed]


def told(settings: Settings) -> Told:
    """Read the topic to its end. Raises `BrokerError` where Kafka does not give it."""
    lists = Lists()
    history = accepted(settings, TOPIC, decode_list_entry, lists.apply)
    now_ms = int(time.time() * 1000)
    return Told(history, [listed for listed in lists.listed.values() if now_ms < listed.until_ms])


def say(settings: Settings, entry: ListEntry) -> None:
    """Publish an entry: workers hold to it as soon as they have read it.

    Raises:
        BrokerError: Kafka does not take it.
        ValueError: an address that is no range of addresses.

    """
    Lists().apply(entry)
    publisher = Publisher(settings.librdkafka())
    publisher.publish(TOPIC, entry.key.encode(), encode(entry), int(time.time() * 1000))
    publisher.flush()
