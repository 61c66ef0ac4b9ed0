"""The audit's hash chains: each entry names the digest of the one before it, so no edit goes unseen.

A digest is the SHA-256 of an entry's bytes as they were published, so that anybody can follow the chain with the
simplest of tools.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from schemas.audit import AuditEntry
from schemas.codec import encode
from schemas.dead_letter_action import DeadLetterAction

Entry = TypeVar("Entry", AuditEntry, DeadLetterAction)

# Beside the customers' dossiers, under a key that no customer can have: ids hold no control characters.
HEAD_KEY: Final = b"\x00audit"
_VERSION: Final = 1
_HEADER: Final = bytes((_VERSION, 0))  # version, flags (reserved)
_decode: Final = msgspec.json.Decoder(AuditEntry).decode


class Head(NamedTuple):
    """Where a chain ends: how many entries it has, and the digest of the last, hex; empty before the first."""

    entries: int = 0
    digest: str = ""


class UnreadableHeadError(ValueError):
    """The bytes are no head that this version can read: they were damaged, or written by a newer worker."""


class AuditChain:
    """The end of one chain, where entries are added. `read` gives the head's state bytes when the first one is."""

    __slots__ = ("_head", "_read", "_stood")

    def __init__(self, read: Callable[[], bytes | None] = lambda: None) -> None:
        """Read nothing yet: a partition is built before its state is there."""
        self._read = read
        self._head: Head | None = None
        self._stood: Head | None = None

    def add(self, entry: Entry) -> tuple[Entry, bytes]:
        """The entry in its place, and the bytes to publish.

        Raises:
            UnreadableHeadError: the state does not say where the chain ends.

        """
        if self._head is None:
            self._head = self._stood = read_head(self._read())
        linked = replace(entry, sequence=self._head.entries + 1, previous=self._head.digest)
        value = encode(linked)
        self._head = Head(linked.sequence, digest_of(value))
        return linked, value

    def take_change(self) -> bytes | None:
        """The head's state bytes if entries were added since the last call, else None."""
        if self._head is None or self._head == self._stood:
            return None
        self._stood = self._head
        return write_head(self._head)


def digest_of(value: bytes) -> str:
    """The digest of an entry as published, hex."""
    return sha256(value).hexdigest()


def write_head(head: Head) -> bytes:
    """The state bytes of a head: version, flags, the number of entries (8 bytes, big-endian), the digest."""
    return _HEADER + head.entries.to_bytes(8, "big") + bytes.fromhex(head.digest)


def read_head(state: bytes | None) -> Head:
    """The head of its state bytes; None is a chain without entries.

    Raises:
        UnreadableHeadError: the bytes were damaged, or a newer version wrote them.

    """
    if state is None:
        return Head()
    if state[:2] != _HEADER or len(state) != 42:  # noqa: PLR2004 - header, 8, 32
        raise UnreadableHeadError(f"the head of the audit's chain begins {state[:2].hex()} and has {len(state)} bytes")
    return Head(int.from_bytes(state[2:10], "big"), state[10:].hex())


class Break(NamedTuple):
    """Where a chain does not hold: the place among the values given, from 1, and what is wrong there."""

    place: int
    chain: str
    what: str


def verify(
    values: Iterable[bytes], decode: Callable[[bytes], AuditEntry | DeadLetterAction] = _decode
) -> tuple[dict[str, Head], list[Break]]:
    """Follow the chains through one partition's entries, in order: where each ends, and every place it is broken.

    A partition holds its customers' chain, whose name is empty, and the first one holds that of the policies beside it.
    """
    heads: dict[str, Head] = {}
    breaks: list[Break] = []
    for place, value in enumerate(values, start=1):
        try:
            entry = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            breaks.append(Break(place, "?", f"not an entry: {error}"))
            continue
        head = heads.get(entry.chain, Head())
        if entry.sequence != head.entries + 1:
            breaks.append(Break(place, entry.chain, f"entry {entry.sequence} follows entry {head.entries}"))
        elif entry.previous != head.digest:
            breaks.append(Break(place, entry.chain, f"entry {head.entries} is not the one that was published"))
        heads[entry.chain] = Head(entry.sequence, digest_of(value))
    return heads, breaks
