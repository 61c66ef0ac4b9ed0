"""An entry of the deny list or the watch list: who put it there, why, and until when it holds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.transaction import Identifier, Timestamp

ListName = Literal["deny", "watch"]
LIST_NAMES: tuple[ListName, ...] = ("deny", "watch")
ListedKind = Literal["payee", "device", "merchant", "address"]
LISTED_KINDS: tuple[ListedKind, ...] = ("payee", "device", "merchant", "address")


class ListEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The newest of a list, kind and value holds. An `address` is a range of IP addresses: 203.0.113.0/24.

    It holds from its arrival on, until `until`; one that is `removed` ends what was said before.
    """

    list: ListName
    kind: ListedKind
    value: Identifier
    actor: Identifier
    reason: Annotated[str, Meta(min_length=1, max_length=1024)]
    at: Timestamp
    until: Timestamp | None = None
    removed: bool = False

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{self.list}/{self.kind}/{self.value}"
