"""When a model's word last made an alert of a customer, and of which outcome: of no use to anything but its next one.

It stands beside the dossier, in a record that neither rules nor features read: what a model says never reaches what
payments are judged on, nor the digest of it.
"""

from typing import Final

import msgspec

from pipeline.beside import Beside

SUFFIX: Final = b"\x00learned"
VERSION: Final = b"\x01\x00"
# Arrival, epoch ms, and the outcome's rank.
_Begun = tuple[int, int]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Begun).decode


class UnreadableCoolingError(ValueError):
    """The bytes are none that this version can read: they were damaged, or written by a newer worker."""


class Cooling:
    """The cool-downs of one partition's customers; read and written only where a model raises an outcome."""

    def __init__(self, beside: Beside) -> None:
        """Read nothing yet."""
        self._beside = beside

    def cools(self, key: bytes, arrived_ms: int, outcome: int, cool_down_ms: int) -> bool:
        """Whether no alert of this outcome is due now; where one is, its cool-down begins.

        Raises:
            UnreadableCoolingError: the record is of an unknown version, or broken.

        """
        begun_ms, reached = _read(self._beside.get(key + SUFFIX))
        if reached >= outcome and arrived_ms - begun_ms < cool_down_ms:
            return True
        self._beside.put(key + SUFFIX, VERSION + _encode((arrived_ms, outcome)))
        return False


def _read(state: bytes | None) -> _Begun:
    if state is None:
        return 0, -1
    if state[:1] != VERSION[:1]:
        raise UnreadableCoolingError(f"a cool-down of version {state[:1].hex() or 'none'}; this worker reads 1")
    try:
        begun: _Begun = _decode(state[2:])
    except msgspec.DecodeError as error:
        raise UnreadableCoolingError(f"a damaged cool-down: {error}") from error
    return begun
