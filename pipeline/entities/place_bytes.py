"""How a place is kept: a byte of version, one of reserved flags, then MessagePack. An old version is read for ever."""

from typing import Final

import msgspec

from pipeline.entities.place import Place

VERSION: Final = b"\x01\x00"

# Streak, its evidence, its smallest ratio, when it began, when a payment was last cleared, labels and frauds by day.
_Kept = tuple[int, float, float, int, int, list[list[int]]]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Kept).decode


class PlaceError(ValueError):
    """These bytes are not a place of a version that is known here."""


def to_bytes(place: Place) -> bytes:
    """The place's bytes; the same place always gives the same ones."""
    kept: _Kept = (place.streak, place.evidence, place.smallest_ratio, place.began_ms, place.cleared_ms, place.days)
    return VERSION + _encode(kept)


def from_bytes(data: bytes) -> Place:
    """A place from its bytes.

    Raises:
        PlaceError: the bytes are of an unknown version, or broken.

    """
    if data[:1] != VERSION[:1]:
        raise PlaceError(f"a place of version {data[:1].hex() or 'none'}; this worker reads version 1: upgrade it")
    place = Place()
    try:
        kept = _decode(data[2:])
    except msgspec.DecodeError as error:
        raise PlaceError(f"broken place: {error}") from None
    place.streak, place.evidence, place.smallest_ratio, place.began_ms, place.cleared_ms, place.days = kept
    return place
