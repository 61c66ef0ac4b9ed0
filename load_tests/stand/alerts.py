"""Reads what is committed as it comes, and takes the time from when each payment was due."""

import re
import threading
import time
from collections.abc import Sequence
from typing import Self

from confluent_kafka import Consumer, TopicPartition

_DUE = re.compile(rb'"transaction_id":"due-([0-9a-f]+)-')
_AT_ONCE = 1_000
_PATIENCE_S = 0.002


class Reader:
    """A reader of committed records, in a thread of its own, from the moment it is made."""

    def __init__(self, broker: str, topic: str, *, only: bytes = b"") -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "load-test-reader",  # a name that librdkafka wants; no group is joined
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 100,
                "fetch.error.backoff.ms": 10,
                "log_level": 0,
            }
        )
        numbers = self._consumer.list_topics(topic).topics[topic].partitions
        places = [TopicPartition(topic, number) for number in numbers]
        for place in places:
            # Asked for now: "the end" would be wherever it is when the first fetch comes.
            place.offset = self._consumer.get_watermark_offsets(place)[1]
        self._consumer.assign(places)
        self._only = only
        self._read: list[tuple[int, int]] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._consumer.close()

    def _follow(self) -> None:
        while not self._stopped.is_set():
            messages = self._consumer.consume(_AT_ONCE, _PATIENCE_S)
            now_us = time.time_ns() // 1_000
            for message in messages:
                value = message.value() or b""
                if message.error() is None and self._only in value and (due := _DUE.search(value)) is not None:
                    self._read.append((int(due[1], 16), now_us))

    def latencies_ms(self, due_from_us: int, due_until_us: int) -> list[float]:
        """Return, sorted, how long after their due time those due in that span were read."""
        return sorted((now - due) / 1e3 for due, now in list(self._read) if due_from_us <= due < due_until_us)

    @property
    def count(self) -> int:
        """How many were read."""
        return len(self._read)


def quantile(sorted_ms: Sequence[float], share: float) -> float:
    """Return a quantile of sorted latencies; NaN where there are none."""
    return round(sorted_ms[min(len(sorted_ms) - 1, int(len(sorted_ms) * share))], 1) if sorted_ms else float("nan")
