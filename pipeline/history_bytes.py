"""How one customer's history is kept: a head record, sealed segments of the log, and large buckets, each below 64 KiB.

The head stands under the customer's key. A log that grows past two segments seals its older half under
`key + 00 's' + number`: sealed segments are written once and deleted once, so a customer with 100,000 transactions a
day costs a bounded number of bytes per transaction. Buckets beyond two KiB stand under `key + 00 'b' + type`.

Version 1: one byte of version, one of reserved flags, then MessagePack arrays. An old version is read for ever.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TypeVar

import msgspec

from pipeline.buckets import Buckets
from pipeline.history import CONTENT_BYTES, SEGMENT, Foreign, History

T = TypeVar("T")
Lookup = Callable[[bytes], bytes | None]

VERSION = b"\x01\x00"
LARGEST_RECORD = 64 * 1024
_LARGE_BUCKETS = 2048


class StateError(ValueError):
    """These bytes are not a customer's state of a version that is known here."""


class _Entries(msgspec.Struct, array_like=True, gc=False):
    """A stretch of the log: `base_ms` less an age is a time; originals and foreign amounts by index in the stretch."""

    base_ms: int
    ids: list[str]
    ages: list[int]
    amounts: list[int]
    kinds: list[int]
    contents: bytes
    originals: dict[int, int]
    foreign: dict[int, Foreign]


class _Head(msgspec.Struct, array_like=True, gc=False):
    last_arrival_ms: int
    folded_to_ms: int
    sources: list[str]
    first: int
    sealed: int
    first_segment: int
    tail: _Entries
    # By type; empty bytes where the buckets stand in a record of their own.
    buckets: dict[int, bytes]
    payees: list[int]
    devices: list[int]
    cooling: dict[int, tuple[int, int]]


_encode = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_entries = msgspec.msgpack.Decoder(_Entries).decode


def segment_key(key: bytes, number: int) -> bytes:
    """Where a sealed segment stands."""
    return key + b"\0s" + number.to_bytes(4, "big")


def buckets_key(key: bytes, type_index: int) -> bytes:
    """Where the large buckets of a type stand."""
    return key + b"\0b" + bytes([type_index])


def owner_of(key: bytes) -> bytes:
    """The customer to whom a record of this table belongs."""
    return key.split(b"\0", 1)[0]


def write_history(key: bytes, history: History, lookup: Lookup) -> dict[bytes, bytes | None]:
    """The records that changed since the history was read or last written; None deletes. `lookup` knows what stands."""
    changed: dict[bytes, bytes | None] = {}
    number = history.first_segment
    while number > 0 and lookup(segment_key(key, number - 1)) is not None:
        number -= 1
        changed[segment_key(key, number)] = None
    for position in range(max(history.written, history.first), history.sealed, SEGMENT):
        start = position - history.first
        number = history.first_segment + start // SEGMENT
        # Told from the segment itself: the same entries give the same bytes, whenever they are written.
        segment = _entries(history, start, start + SEGMENT, history.times[start])
        changed[segment_key(key, number)] = VERSION + _encode(segment)
    history.written = history.sealed
    buckets: dict[int, bytes] = {}
    for type_index in sorted(history.buckets):
        data = history.buckets[type_index].to_bytes()
        place = buckets_key(key, type_index)
        if len(data) > _LARGE_BUCKETS:
            if lookup(place) != data:
                changed[place] = data
            data = b""
        elif not data:
            continue
        elif lookup(place) is not None:
            changed[place] = None
        buckets[type_index] = data
    changed[key] = _head(history, buckets)
    return changed


def read_history(key: bytes, lookup: Lookup) -> History:
    """A customer's history from its records; an empty one for a customer of whom nothing is kept.

    Raises:
        StateError: the bytes are of an unknown version, or broken.

    """
    data = lookup(key)
    history = History()
    if data is None:
        return history
    head = _read(data, _decode_head)
    history.last_arrival_ms = head.last_arrival_ms
    history.folded_to_ms = head.folded_to_ms
    history.sources = head.sources
    history.first = head.first
    history.sealed = head.sealed
    history.first_segment = head.first_segment
    for number in range(head.first_segment, head.first_segment + (head.sealed - head.first) // SEGMENT):
        segment = lookup(segment_key(key, number))
        if segment is None:
            raise StateError(f"segment {number} of a customer's log is missing")
        _append(history, _read(segment, _decode_entries))
    _append(history, head.tail)
    for type_index, kept in head.buckets.items():
        history.buckets[type_index] = Buckets.from_bytes(kept or lookup(buckets_key(key, type_index)) or b"")
    history.payees.fill(head.payees)
    history.devices.fill(head.devices)
    history.cooling = head.cooling
    history.written = history.sealed
    history.derive()
    return history


def digest_of(key: bytes, history: History) -> str:
    """Digest of the customer's state as it is now: BLAKE2b, 16 bytes, hex, over its head record."""
    buckets = {index: kept.to_bytes() for index, kept in sorted(history.buckets.items()) if len(kept)}
    return blake2b(key + _head(history, buckets), digest_size=16).hexdigest()


def _read(data: bytes, decode: Callable[[bytes], T]) -> T:
    if data[:1] != VERSION[:1]:
        raise StateError(f"state of version {data[:1].hex() or 'none'}; this worker reads version 1: upgrade it")
    try:
        return decode(data[2:])
    except msgspec.DecodeError as error:
        raise StateError(f"broken state: {error}") from None


def _head(history: History, buckets: Mapping[int, bytes]) -> bytes:
    return VERSION + _encode(
        _Head(
            history.last_arrival_ms,
            history.folded_to_ms,
            history.sources,
            history.first,
            history.sealed,
            history.first_segment,
            _entries(history, history.sealed - history.first, len(history), history.last_arrival_ms),
            dict(buckets),
            history.payees.flat(),
            history.devices.flat(),
            history.cooling,
        )
    )


def _entries(history: History, start: int, end: int, base_ms: int) -> _Entries:
    first = history.first
    times = history.times[start:end]
    return _Entries(
        base_ms,
        history.ids[start:end],
        [base_ms - time for time in times],
        history.amounts[start:end],
        history.kinds[start:end],
        b"".join(history.contents[start:end]),
        _within(history.originals, first, start, end),
        _within(history.foreign, first, start, end),
    )


def _within(by_position: Mapping[int, T], first: int, start: int, end: int) -> dict[int, T]:
    """What belongs to a stretch of the log, by index in the stretch."""
    if not by_position:
        return {}
    return {i: by_position[p] for i in range(end - start) if (p := first + start + i) in by_position}


def _append(history: History, entries: _Entries) -> None:
    position = history.first + len(history)
    history.ids += entries.ids
    history.times += [entries.base_ms - age for age in entries.ages]
    history.amounts += entries.amounts
    history.kinds += entries.kinds
    contents = entries.contents
    history.contents += [contents[i : i + CONTENT_BYTES] for i in range(0, len(contents), CONTENT_BYTES)]
    history.originals.update({position + i: original for i, original in entries.originals.items()})
    history.foreign.update({position + i: whole for i, whole in entries.foreign.items()})
