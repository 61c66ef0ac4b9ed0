"""A customer in memory: history and dossier, read from their bytes when first met, written back by the unit."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mypy_extensions import mypyc_attr

from pipeline.history import History
from pipeline.history_bytes import digest_of, read_history, write_history
from pipeline.plain import Names
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.dossier_bytes import decode
from pipeline.whitelist.restart import state_of

Lookup = Callable[[bytes], bytes | None]


class Changes(NamedTuple):
    """State records that changed; None deletes."""

    windows: dict[bytes, bytes | None]
    dossiers: dict[bytes, bytes | None]


def hold(table: dict[bytes, bytes], changed: Mapping[bytes, bytes | None]) -> None:
    """Let a table in memory hold what changed."""
    for key, state in changed.items():
        if state is None:
            table.pop(key, None)
        else:
            table[key] = state


@mypyc_attr(acyclic=True)
class Customer:
    """One customer, live. Whoever changes a part says so: only what changed is written.

    `names` is how decisions name it and the processor last met.
    """

    __slots__ = ("dossier", "dossier_changed", "history", "history_changed", "key", "names")

    def __init__(self, key: bytes, history: History, dossier: Dossier) -> None:
        """Take what was read."""
        self.key = key
        self.history = history
        self.dossier = dossier
        self.history_changed = False
        self.dossier_changed = False
        self.names: Names | None = None

    def named_by(self, source: str) -> Names:
        """How decisions name this customer as one of that processor's."""
        names = self.names
        if names is None or names.source != source:
            names = self.names = Names(source, self.key.decode())
        return names


class Customers:
    """The live customers of one partition, at most `most` between units of work; the rest stay bytes.

    They are of two generations: whoever is met joins the younger, and when that is half of `most`, the older is let go
    and the younger takes its place. So those met last stay, and to meet one costs a look-up.
    """

    def __init__(self, windows: Lookup, dossiers: Lookup, most: int) -> None:
        """`windows` and `dossiers` give the newest bytes of a key."""
        self._windows = windows
        self._dossiers = dossiers
        self._most = most
        self._younger: dict[bytes, Customer] = {}
        self._older: dict[bytes, Customer] = {}
        self._changed: dict[bytes, Customer] = {}

    def __len__(self) -> int:
        """How many are live."""
        return len(self._younger) + len(self._older)

    def get(self, key: bytes) -> Customer:
        """The customer, from memory or from bytes."""
        customer = self._younger.get(key)
        if customer is None:
            customer = self._older.pop(key, None) or Customer(
                key, read_history(key, self._windows), decode(self._dossiers(key))
            )
            self._younger[key] = customer
        return customer

    def is_touched(self, key: bytes) -> bool:
        """Whether a change of this customer has begun and not ended."""
        customer = self._younger.get(key)  # where whoever was just met stands
        return customer is not None and customer.history.touched

    def digest_before(self, key: bytes) -> str:
        """The digest of a customer's state as it was last written."""
        return digest_of(key, read_history(key, self._windows))

    def changed(self, customer: Customer) -> None:
        """Note that the customer must be written."""
        self._changed[customer.key] = customer

    def take_changes(self) -> Changes:
        """What must be written since the last time, and let go of the customers longest unused."""
        windows: dict[bytes, bytes | None] = {}
        dossiers: dict[bytes, bytes | None] = {}
        for key, customer in self._changed.items():
            if customer.history_changed:
                write_history(key, customer.history, self._windows, windows)
                customer.history_changed = False
            if customer.dossier_changed:
                dossiers[key] = state_of(key.decode(), customer.dossier)
                customer.dossier_changed = False
        self._changed.clear()
        if 2 * len(self._younger) > self._most:
            self._older = self._younger if len(self._younger) <= self._most else {}
            self._younger = {}
        return Changes(windows, dossiers)
