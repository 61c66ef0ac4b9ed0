"""How one customer's history is kept: a head record, sealed segments of the log, and large buckets, each below 64 KiB.

The head stands under the customer's key. A log that grows past two segments seals its older half under
`key + 00 's' + number`: sealed segments are written once and deleted once, so a customer with 100,000 transactions a
day costs a bounded number of bytes per transaction. Buckets beyond two KiB stand under `key + 00 'b' + type`.

One byte of version, one of reserved flags, then MessagePack arrays. An old version is read for ever: a head of
version 1 has no profile.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, TypeVar

import msgspec

from pipeline.buckets import Buckets
from pipeline.history import History
from pipeline.log import SEGMENT

T = TypeVar("T")
Lookup = Callable[[bytes], bytes | None]

VERSION: Final = b"\x01\x00"
_HEAD_VERSION: Final = b"\x02\x00"
LARGEST_RECORD: Final = 64 * 1024
_LARGE_BUCKETS: Final = 2048


class StateError(ValueError):
    """These bytes are not a customer's state of a version that is known here."""


# Plain tuples: nothing is faster to write, and compiled classes do not tell msgspec their types.
# A stretch of the log; originals and foreign amounts by position.
_Segment = tuple[bytes, dict[int, int], dict[int, tuple[str, int]]]
# What does not change with every transaction: folded_to_ms; of the log source, before_ms, first, sealed, first_segment,
# and originals and foreign amounts of its tail; buckets by type (empty bytes where they stand in a record of their
# own), payees, devices, cooling.
_Settled = tuple[
    int,
    str,
    int,
    int,
    int,
    int,
    dict[int, int],
    dict[int, tuple[str, int]],
    dict[int, bytes],
    bytes,
    bytes,
    dict[int, tuple[int, int]],
]
# last_arrival_ms, the log's tail, what is settled, the profile and what it has yet to learn.
_Head = tuple[int, bytes, bytes, bytes]
_Head1 = tuple[int, bytes, bytes]

# A head's array of four, of which the first is a number of 64 bits; and bytes, by how many their length takes.
_HEAD_BEGINS: Final = _HEAD_VERSION + b"\x94\xcf"
_BIN8: Final = [bytes((0xC4, size)) for size in range(256)]
_BIN16: Final = 0xC5
_BIN32: Final = 0xC6
_UINT16: Final = 0xFFFF
_UINT32: Final = 0xFFFF_FFFF

_encode: Final = msgspec.msgpack.Encoder().encode
_decode_head: Final = msgspec.msgpack.Decoder(_Head).decode
_decode_head1: Final = msgspec.msgpack.Decoder(_Head1).decode
_decode_settled: Final = msgspec.msgpack.Decoder(_Settled).decode
_decode_segment: Final = msgspec.msgpack.Decoder(_Segment).decode


def segment_key(key: bytes, number: int) -> bytes:
    """Where a sealed segment stands."""
    return key + b"\0s" + number.to_bytes(4, "big")


def buckets_key(key: bytes, type_index: int) -> bytes:
    """Where the large buckets of a type stand."""
    return key + b"\0b" + bytes([type_index])


def owner_of(key: bytes) -> bytes:
    """The customer to whom a record of this table belongs."""
    return key.split(b"\0", 1)[0]


def write_history(key: bytes, history: History, lookup: Lookup, changed: dict[bytes, bytes | None]) -> None:
    """Put into `changed` the records that changed since the history was read or last written; None deletes.

    `lookup` knows what stands.
    """
    log = history.log
    if log.first_standing < log.first_segment or log.written < log.sealed:
        _write_segments(key, history, lookup, changed)
    if not history.settled:
        history.settled = _settled(history, _set_apart(key, history, lookup, changed))
    changed[key] = _head(history, history.settled)


def read_history(key: bytes, lookup: Lookup) -> History:
    """A customer's history from its records; an empty one for a customer of whom nothing is kept.

    Raises:
        StateError: the bytes are of an unknown version, or broken.

    """
    data = lookup(key)
    history = History()
    if data is None:
        return history
    history.last_arrival_ms, tail, settled, profile = _read_head(data)
    content: _Settled = _read(VERSION + settled, _decode_settled)
    log = history.log
    (
        history.folded_to_ms,
        log.source,
        log.before_ms,
        log.first,
        log.sealed,
        log.first_segment,
        originals,
        foreign,
        buckets,
        payees,
        devices,
        history.cooling,
    ) = content
    for number in range(log.first_segment, log.first_segment + (log.sealed - log.first) // SEGMENT):
        segment = lookup(segment_key(key, number))
        if segment is None:
            raise StateError(f"segment {number} of a customer's log is missing")
        sealed, sealed_originals, sealed_foreign = _read(segment, _decode_segment)
        log.segments.append(sealed)
        history.reversals.originals.update(sealed_originals)
        history.reversals.foreign.update(sealed_foreign)
    log.tail = tail
    history.reversals.originals.update(originals)
    history.reversals.foreign.update(foreign)
    for type_index, kept in buckets.items():
        history.buckets[type_index] = Buckets.from_bytes(kept or lookup(buckets_key(key, type_index)) or b"")
    history.apart = frozenset([type_index for type_index, kept in buckets.items() if not kept])
    try:
        history.lessons.read(profile)
        history.payees.read(payees)
        history.devices.read(devices)
        history.derive()
    except ValueError as error:
        raise StateError(f"broken state: {error}") from None
    return history


def digest_of(key: bytes, history: History) -> str:
    """Digest of the customer's state as it is now: BLAKE2b, 16 bytes, hex, over its head record."""
    settled = history.settled
    if not settled or history.apart:
        settled = _settled(history, _buckets(history))
    return blake2b(key + _head(history, settled), digest_size=16).hexdigest()


def _read_head(data: bytes) -> _Head:
    if data[:1] != _HEAD_VERSION[:1]:
        first: _Head1 = _read(data, _decode_head1)
        return (*first, b"")
    head: _Head = _read(VERSION + data[2:], _decode_head)
    return head


def _read(data: bytes, decode: Callable[[bytes], T]) -> T:
    if data[:1] != VERSION[:1]:
        raise StateError(f"state of version {data[:1].hex() or 'none'}; this worker reads versions 1 and 2: upgrade it")
    try:
        return decode(data[2:])
    except msgspec.DecodeError as error:
        raise StateError(f"broken state: {error}") from None


def _write_segments(key: bytes, history: History, lookup: Lookup, changed: dict[bytes, bytes | None]) -> None:
    log = history.log
    for number in range(log.first_standing, log.first_segment):
        # One that was sealed and dropped between two calls never stood.
        if lookup(segment_key(key, number)) is not None:
            changed[segment_key(key, number)] = None
    log.first_standing = log.first_segment
    for position in range(max(log.written, log.first), log.sealed, SEGMENT):
        number = log.first_segment + (position - log.first) // SEGMENT
        originals, foreign = history.reversals.within(position, position + SEGMENT)
        segment: _Segment = (log.segments[(position - log.first) // SEGMENT], originals, foreign)
        changed[segment_key(key, number)] = VERSION + _encode(segment)
    log.written = log.sealed


def _buckets(history: History) -> dict[int, bytes]:
    """The buckets that are not empty, in the order of their types."""
    return {index: kept.to_bytes() for index, kept in history.buckets.items() if len(kept)}


def _set_apart(key: bytes, history: History, lookup: Lookup, changed: dict[bytes, bytes | None]) -> dict[int, bytes]:
    """The buckets for the head record: large ones stand in records of their own, and are empty there."""
    buckets = _buckets(history)
    large = [type_index for type_index, data in buckets.items() if len(data) > _LARGE_BUCKETS]
    if large or history.apart:
        for type_index in sorted(history.apart.difference(large)):
            changed[buckets_key(key, type_index)] = None
        for type_index in large:
            place = buckets_key(key, type_index)
            if lookup(place) != buckets[type_index]:
                changed[place] = buckets[type_index]
            buckets[type_index] = b""
        history.apart = frozenset(large)
    return buckets


def _settled(history: History, buckets: dict[int, bytes]) -> bytes:
    originals, foreign = history.reversals.within(history.log.sealed, history.log.end)
    log = history.log
    settled: _Settled = (
        history.folded_to_ms,
        log.source,
        log.before_ms,
        log.first,
        log.sealed,
        log.first_segment,
        originals,
        foreign,
        buckets,
        history.payees.to_bytes(),
        history.devices.to_bytes(),
        history.cooling,
    )
    return _encode(settled)


def _head(history: History, settled: bytes) -> bytes:
    """What MessagePack's encoder would write of a `_Head`, put together by hand: this is done for every transaction."""
    tail = history.log.tail
    profile = history.lessons.to_bytes()
    arrived_ms = history.last_arrival_ms
    if arrived_ms <= _UINT32:
        return _HEAD_VERSION + _encode((arrived_ms, tail, settled, profile))
    arrived = arrived_ms.to_bytes(8, "big")
    begins = _bin_begins(tail), _bin_begins(settled), _bin_begins(profile)
    return b"%b%b%b%b%b%b%b%b" % (_HEAD_BEGINS, arrived, begins[0], tail, begins[1], settled, begins[2], profile)


def _bin_begins(data: bytes) -> bytes:
    """What stands before bytes in MessagePack: their length, in as few bytes as will do."""
    size = len(data)
    if size < len(_BIN8):
        return _BIN8[size]
    return (_BIN16 << 16 | size).to_bytes(3, "big") if size <= _UINT16 else (_BIN32 << 32 | size).to_bytes(5, "big")
