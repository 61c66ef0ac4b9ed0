"""Ids of what we publish: functions of what they name, so that a second run says the same."""

from hashlib import blake2b
from typing import Final

import msgspec

_encode: Final = msgspec.msgpack.Encoder().encode
# To copy one costs a quarter less than to make one.
_nothing_yet: Final = blake2b(digest_size=16)


def decision_stem(source: str, customer_id: str) -> str:
    """What the ids of all decisions on a customer's transactions of one processor begin with.

    The transaction's own id follows as it is. So no two decisions have the same id, unless somebody finds a collision
    of BLAKE2b; whoever meets one sees which transaction it is about; and nothing is hashed for each.
    """
    return f"{derived_id(source, customer_id)}-"


def derived_id(*parts: str | int) -> str:
    """An id that the same parts always give: BLAKE2b over them, 16 bytes, hex."""
    digest = _nothing_yet.copy()
    digest.update(_encode(parts))
    return digest.hexdigest()
