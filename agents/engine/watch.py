"""What the engine tells of itself."""

from typing import Protocol

from agents.engine.shard import Commit


class Watch(Protocol):
    """Who wants to know what happens: the metrics."""

    def taken(self, seconds: float) -> None:
        """Count a batch that was judged."""

    def committed(self, commit: Commit) -> None:
        """Count a transaction."""

    def failed(self) -> None:
        """Count a transaction that was not committed."""

    def tick_refused(self) -> None:
        """Count a tick too far from the broker's time."""

    def expired(self, topic: str, records: int) -> None:
        """Count input records that were gone before they were read."""

    def recovering(self, remaining: int) -> None:
        """Take note of how many changelog records are still to be read."""

    def recovered(self, records: int, seconds: float) -> None:
        """Count a recovery that is done, and the changelog records that it read."""
