"""Which entries of a log are the next to be let go: oldest first, though the log stands in the order of arrival."""

from heapq import heappop, heappush

from mypy_extensions import mypyc_attr

from pipeline.log import Log


@mypyc_attr(acyclic=True)
class Expiry:
    """Those that came in the order of their times expire in the log's own order; the others wait in a heap."""

    __slots__ = ("_late", "_next", "_passed_ms")

    def __init__(self) -> None:
        """Nothing came late."""
        self._late: list[tuple[int, int]] = []
        # The next to expire among those that came in order, and the time of the one before.
        self._next = 0
        self._passed_ms = 0

    def came_late(self, time: int, position: int) -> None:
        """Note an entry that occurred before one that had come already."""
        heappush(self._late, (time, position))

    def resume(self, position: int, passed_ms: int) -> None:
        """Go on where all that occurred by then had expired; what came late is noted anew."""
        self._next = position
        self._passed_ms = passed_ms + 1

    def take(self, log: Log, horizon: int) -> list[int]:
        """The positions of those that occurred at or before `horizon` and were not taken before, oldest first."""
        late = self._late
        expired: list[int] = []
        position = max(self._next, log.first)
        while position < log.end:
            time = log.time(position)
            if time < self._passed_ms:  # it came late
                position += 1
                continue
            while late and late[0][0] < time and late[0][0] <= horizon:
                expired.append(heappop(late)[1])
            if time > horizon:
                break
            expired.append(position)
            self._passed_ms = time
            position += 1
        while late and late[0][0] <= horizon:
            expired.append(heappop(late)[1])
        self._next = position
        return expired
