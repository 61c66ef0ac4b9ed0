"""Ids of what we publish: functions of what they name, so that a second run says the same."""

from hashlib import blake2b
from typing import Final

import msgspec

_encode: Final = msgspec.msgpack.Encoder().encode


def derived_id(*parts: str | int) -> str:
    """An id that the same parts always give: BLAKE2b over them, 16 bytes, hex."""
    return blake2b(_encode(parts), digest_size=16).hexdigest()
