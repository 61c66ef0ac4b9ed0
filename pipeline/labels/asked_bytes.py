"""How a customer's asked payments are kept: a byte of version, one of reserved flags, then MessagePack.

They stand beside the dossier under a longer key, so that nothing is read or written of them but when it is needed.
"""

from typing import Final

import msgspec

from pipeline.labels.asked import Asked

SUFFIX: Final = b"\x00asked"
VERSION: Final = b"\x01\x00"

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[Asked, ...]).decode


class UnreadableAskedError(ValueError):
    """The bytes are none that this version can read: they were damaged, or written by a newer worker."""


def encode(known: tuple[Asked, ...]) -> bytes:
    """The same payments always give the same bytes."""
    return VERSION + _encode(known)


def decode(state: bytes | None) -> tuple[Asked, ...]:
    """Read them back.

    Raises:
        UnreadableAskedError: the bytes are of an unknown version, or broken.

    """
    if state is None:
        return ()
    if state[:1] != VERSION[:1]:
        raise UnreadableAskedError(f"asked payments of version {state[:1].hex() or 'none'}; this worker reads 1")
    try:
        return _decode(state[2:])
    except msgspec.DecodeError as error:
        raise UnreadableAskedError(f"damaged asked payments: {error}") from error
