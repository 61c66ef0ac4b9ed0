"""The order of history: records that carry their own times are taken by them, across co-partitioned topics.

What arrives live is taken as it comes; the broker's clock stamps all of it. A past that is loaded comes topic by topic,
and a grant must still be met before the payments that came after it. So the heads of a partition's topics are compared,
and the earliest goes first; a topic that may still have something earlier is waited for.
"""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

# Records held of one topic's partition above which no more of it are fetched.
FULL = 10_000


class Stamped(Protocol):
    """A record with a time, epoch milliseconds."""

    @property
    def timestamp(self) -> int:
        """Its own time."""
        ...


R = TypeVar("R", bound=Stamped)


class Merge(Generic[R]):
    """Records of one partition number that wait for their turn. Ties go in the order of `topics`."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._held: dict[str, deque[R]] = {topic: deque() for topic in topics}

    def hold(self, topic: str, records: Iterable[R]) -> None:
        """Take what a fetch brought of a topic, in the order of its offsets."""
        self._held[topic].extend(records)

    def full(self, topic: str) -> bool:
        """Whether enough of a topic is held."""
        return len(self._held[topic]) >= FULL

    def release(self, ended: Collection[str]) -> list[R]:
        """Return the records whose turn it is. `ended` are the topics of which nothing is known to be left."""
        heads = [held for held in self._held.values() if held]
        if any(not held and topic not in ended for topic, held in self._held.items()):
            return []
        released: list[R] = []
        open_ended = {id(held) for topic, held in self._held.items() if topic not in ended}
        while heads:
            if len(heads) == 1:
                released += heads[0]
                heads[0].clear()
                break
            earliest = min(heads, key=_head)
            released.append(earliest.popleft())
            if not earliest:
                heads.remove(earliest)
                if id(earliest) in open_ended:
                    break
        return released


def _head(held: deque[R]) -> int:
    return held[0].timestamp
