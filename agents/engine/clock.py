"""Whose time it is: the worker's clock may be wrong, and a tick a year ahead would demote everybody."""

import time

# A tick further than this from the broker's time is refused.
FURTHEST_MS = 60_000


class BrokerClock:
    """The broker's time, as its stamps on our own journal records told it."""

    def __init__(self) -> None:
        self._heard_ms: int | None = None
        self._at = 0.0

    def hear(self, broker_ms: int) -> None:
        """Take the broker's time, epoch milliseconds, heard now."""
        self._heard_ms = broker_ms
        self._at = time.monotonic()

    def now_ms(self) -> int | None:
        """Return the broker's time now, carried on by a clock that nobody sets; None when it was never heard."""
        if self._heard_ms is None:
            return None
        return self._heard_ms + int((time.monotonic() - self._at) * 1000)

    def away_ms(self, worker_ms: int) -> int | None:
        """Return how far the worker's clock is ahead (behind: negative); None when the broker's is not known."""
        broker_ms = self.now_ms()
        return None if broker_ms is None else worker_ms - broker_ms
