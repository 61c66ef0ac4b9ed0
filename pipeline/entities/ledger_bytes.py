"""How an entity's ledger is kept: a byte of version, one of reserved flags, then MessagePack."""

from typing import Final

import msgspec

from pipeline.entities.ledger import EMPTY, Ledger

# Beside the customers' dossiers, under keys that no customer can have: ids hold no control characters.
PREFIX: Final = b"\x00entity/"
VERSION: Final = b"\x01\x00"

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Ledger).decode


class UnreadableLedgerError(ValueError):
    """The bytes are no ledger that this version can read: they were damaged, or written by a newer worker."""


def encode(ledger: Ledger) -> bytes | None:
    """The same ledger always gives the same bytes; one without labels needs none."""
    return VERSION + _encode(ledger) if ledger.labels else None


def decode(state: bytes | None) -> Ledger:
    """Read it back.

    Raises:
        UnreadableLedgerError: the bytes are of an unknown version, or broken.

    """
    if state is None:
        return EMPTY
    if state[:1] != VERSION[:1]:
        raise UnreadableLedgerError(f"a ledger of version {state[:1].hex() or 'none'}; this worker reads 1: upgrade it")
    try:
        return _decode(state[2:])
    except msgspec.DecodeError as error:
        raise UnreadableLedgerError(f"a damaged ledger: {error}") from error
