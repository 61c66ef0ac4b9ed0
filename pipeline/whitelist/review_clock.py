"""Who is due: an index of one partition's customers by the next moment their dossier has something to announce."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

# Superseded entries stay in the heap until they are met; past this share of the live ones it is made anew.
_STALE_SLACK = 64


class ReviewClock:
    """Finds who is due at a cost in proportion to who is due, not to who exists.

    Holds nothing that the dossiers do not say, so it is rebuilt from them after a recovery.
    """

    def __init__(self, entries: Iterable[tuple[str, int | None]] = ()) -> None:
        """Index (customer_id, due_ms) pairs; a customer named twice counts as last named."""
        self._due: dict[str, int] = {}
        for customer_id, due_ms in entries:
            if due_ms is None:
                self._due.pop(customer_id, None)
            else:
                self._due[customer_id] = due_ms
        self._heap: list[tuple[int, str]] = []
        # Of these it is known only that nothing is due sooner; who tells when it is.
        self._perhaps: set[str] = set()
        self._asked: Callable[[str], int | None] = self._due.get
        self._rebuild()

    def __len__(self) -> int:
        """How many customers have something ahead of them."""
        return len(self._due)

    def put(self, customer_id: str, due_ms: int | None) -> None:
        """Say when a customer is next due, None for never; replaces what was said before."""
        self._perhaps.discard(customer_id)
        if due_ms is None:
            self._due.pop(customer_id, None)
        elif self._due.get(customer_id) != due_ms:
            self._due[customer_id] = due_ms
            heappush(self._heap, (due_ms, customer_id))
        if len(self._heap) > 2 * len(self._due) + _STALE_SLACK:
            self._rebuild()

    def sooner(self, at_ms: Callable[[str], int], due: Callable[[str], int | None]) -> None:
        """Whoever is not due before a moment of their own may be due then: costs as many as exist.

        `due` is asked when that moment has come, and says when they are due.
        """
        self._asked = due
        for customer_id, due_ms in self._due.items():
            if (maybe_ms := at_ms(customer_id)) < due_ms:
                self._due[customer_id] = maybe_ms
                self._perhaps.add(customer_id)
        self._rebuild()

    def next_ms(self) -> int | None:
        """The earliest moment at which anybody is due, None when nobody is."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take_due(self, clock_ms: int, limit: int) -> list[str]:
        """At most `limit` customers due by `clock_ms`, ordered by (due, customer).

        They leave the index: the caller announces, then `put`s each one's next moment.
        """
        taken: list[str] = []
        while len(taken) < limit:
            self._drop_stale()
            if not self._heap or self._heap[0][0] > clock_ms:
                break
            _, customer_id = heappop(self._heap)
            del self._due[customer_id]
            if customer_id in self._perhaps:
                # Put back by what is so, or the order would depend on since when somebody has watched.
                self.put(customer_id, self._asked(customer_id))
            else:
                taken.append(customer_id)
        return taken

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and self._due.get(heap[0][1]) != heap[0][0]:
            heappop(heap)

    def _rebuild(self) -> None:
        self._heap = [(due_ms, customer_id) for customer_id, due_ms in self._due.items()]
        heapify(self._heap)
