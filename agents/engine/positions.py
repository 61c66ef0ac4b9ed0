"""Where a partition stands: committed with everything that was made of the inputs before it.

The record stands in each changelog under a key that no customer can have (ids carry no control characters), behind the
states of its transaction: so a changelog says itself which units of work the states before it hold. Group offsets are
for lag displays only: Kafka would commit them apart from our state.
"""

import msgspec

KEY = b"\x00positions"
VERSION = 1


class Positions(msgspec.Struct, omit_defaults=True, tag_field="version", tag=VERSION):
    """The next offset of every input topic, the highest arrival taken so far (epoch milliseconds), and units done."""

    next: dict[str, int] = {}
    clock_ms: int = 0
    units: int = 0
    """Units of work of this partition since its beginning; the journal's records carry their numbers."""

    def encode(self) -> bytes:
        """Return JSON, which a person can read with any Kafka tool."""
        return _encode(self)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Positions).decode


def decode(value: bytes | None) -> Positions:
    """Return the positions of a partition; without a record it has not begun."""
    return Positions() if value is None else _decode(value)
