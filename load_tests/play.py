"""Back-pressure: publishes a city no faster than it is decided, so that a broker which keeps little loses nothing."""

import time
from collections import Counter
from collections.abc import Callable, Iterator

from agents.embedded import KEPT_BYTES
from agents.publisher import Publisher
from load_tests.city import Event
from load_tests.city.score import Score
from load_tests.ledger import Ledger
from load_tests.watcher import Watcher
from schemas.topics import CUSTOMER_TOPICS, TRANSACTION_TOPICS

# All that is undecided may lie on one partition, and what comes out of it is about as much again.
_UNDECIDED_BYTES = KEPT_BYTES // 2
_RECORD_OVERHEAD_BYTES = 150
_STALLED_SECONDS = 60.0
_WAIT_SECONDS = 0.02


class StalledError(Exception):
    """Records wait for an outcome, and none comes."""


class Play:
    """`alive` raises when there is no sense in waiting on; it is asked whenever the play waits."""

    def __init__(
        self, publisher: Publisher, watcher: Watcher, ledger: Ledger, score: Score, alive: Callable[[], None]
    ) -> None:
        self._publisher = publisher
        self._watcher = watcher
        self._ledger = ledger
        self._score = score
        self._alive = alive
        self._published: Counter[str] = Counter()
        # By topic.
        self._largest_bytes: Counter[str] = Counter()
        # Unlike any other, so that the first look begins the wait: before it, a worker may have taken long to start.
        self._progress = (-1, -1)
        self._progressed_at = 0.0

    @property
    def undecided(self) -> int:
        """Records published whose outcome has not been seen: by the journal or by the outcomes, whichever lags."""
        return max(
            sum(self._published[topic] - self._ledger.journalled[topic] for topic in CUSTOMER_TOPICS), self._awaited
        )

    @property
    def _awaited(self) -> int:
        """Transactions whose outcome itself has not been seen."""
        return sum(self._published[topic] for topic in TRANSACTION_TOPICS) - self._ledger.outcomes

    @property
    def _undecided_bytes(self) -> int:
        """At most so much of what was published may still be wanted."""
        published, journalled, largest = self._published, self._ledger.journalled, self._largest_bytes
        return max(
            sum((published[topic] - journalled[topic]) * largest[topic] for topic in CUSTOMER_TOPICS),
            self._awaited * max(largest[topic] for topic in TRANSACTION_TOPICS),
        )

    def problems(self) -> Iterator[str]:
        """Yield what the broker lost before anybody could decide it."""
        published = sum(self._published[topic] for topic in TRANSACTION_TOPICS)
        if published != self._ledger.transactions:
            yield f"{published} transactions published, but {self._ledger.transactions} found on the broker"

    def publish(self, event: Event) -> None:
        """Publish when there is room.

        Raises:
            StalledError: nothing was decided for a minute.

        """
        record_bytes = len(event.value) + _RECORD_OVERHEAD_BYTES
        self._largest_bytes[event.topic] = max(self._largest_bytes[event.topic], record_bytes)
        while self._undecided_bytes > _UNDECIDED_BYTES:
            self.wait(_WAIT_SECONDS)
        self._score.published(event)
        self._publisher.publish(event.topic, event.key, event.value, event.at_ms)
        self._published[event.topic] += 1

    def settle(self) -> None:
        """Wait until everything published has its outcome.

        Raises:
            StalledError: some of it never gets one.

        """
        self._publisher.flush()
        while self.undecided > 0:
            self.wait(_WAIT_SECONDS)

    def wait(self, seconds: float) -> None:
        """Read what was decided, waiting for at most `seconds`.

        Raises:
            StalledError: something is undecided, and nothing was decided for a minute.

        """
        self._watcher.poll(seconds)
        self._alive()
        progress = (self._ledger.journalled.total(), self._ledger.outcomes)
        now = time.monotonic()
        if progress != self._progress or self.undecided <= 0:
            self._progress, self._progressed_at = progress, now
        elif now - self._progressed_at > _STALLED_SECONDS:
            raise StalledError(f"{self.undecided} records have no outcome, and none came for {_STALLED_SECONDS:.0f} s")
