"""Which payees or devices a customer is known to use, and since when; the least recently used are forgotten first."""

from hashlib import blake2b
from typing import Final

import msgspec
from mypy_extensions import mypyc_attr

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[int]).decode


@mypyc_attr(acyclic=True)
class FirstSeen:
    """At most `size` ids, each with the earliest time it was seen, epoch ms; kept as 8-byte BLAKE2b digests."""

    def __init__(self, size: int) -> None:
        """Know nobody yet."""
        self.size = size
        # Digest to first seen, in order of last use.
        self.since: dict[int, int] = {}
        # The one used last stands at the end already: most customers use the same device again and again.
        self._last = ""
        self._last_since = 0
        self._bytes = b""  # as they are kept, unless something has changed since

    def see(self, entity: str, occurred_ms: int) -> bool:
        """Note a use at `occurred_ms`; one that arrives late moves the beginning back. Whether anything has changed."""
        if entity == self._last and occurred_ms >= self._last_since:
            return False
        digest = _digest(entity)
        first = min(self.since.pop(digest, occurred_ms), occurred_ms)
        self.since[digest] = first
        self._bytes = b""
        self._last, self._last_since = entity, first
        if len(self.since) > self.size:
            del self.since[next(iter(self.since))]
        return True

    def is_new(self, entity: str, occurred_ms: int, new_for_ms: int) -> bool:
        """Whether at `occurred_ms` the entity had been known for less than `new_for_ms`, or not at all."""
        first = self._last_since if entity and entity == self._last else self.since.get(_digest(entity))
        return first is None or first > occurred_ms - new_for_ms

    def new_since(self, from_ms: int, until_ms: int) -> int:
        """How many were first seen after `from_ms` and until `until_ms`, that moment included."""
        count = 0
        for since in self.since.values():
            if from_ms < since <= until_ms:
                count += 1
        return count

    def to_bytes(self) -> bytes:
        """MessagePack: digest, first seen, digest, first seen...: the least recently used first; b"" for nobody."""
        if self.since and not self._bytes:
            self._bytes = _encode([number for pair in self.since.items() for number in pair])
        return self._bytes

    def read(self, data: bytes) -> None:
        """Take back what `to_bytes` gave.

        Raises:
            ValueError: the bytes are something else.

        """
        if data:
            flat = _decode(data)
            self.since = dict(zip(flat[::2], flat[1::2], strict=True))
            self._bytes = data


def _digest(entity: str) -> int:
    return int.from_bytes(blake2b(entity.encode(), digest_size=8).digest(), "big")
