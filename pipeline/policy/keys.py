"""Public keys in a policy: Ed25519, 32 bytes in standard base64."""

import binascii
from typing import Any

from pipeline.policy.reading import Reading
from pipeline.policy.shapes import Leaf

_LENGTH = 32
_P = 2**255 - 19
_Y_OF_ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
# The y of every point of small order, in each way it can be written. Signatures that fit such a key can be made without
# any private key, and thirty-two zero bytes, the likeliest thing to be left in a template, are one of them.
_SMALL_ORDER = frozenset({0, 1, _P - 1, _P, _P + 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8})


class PublicKey(Leaf):
    """An Ed25519 public key."""

    placeholder = b""
    words = "an Ed25519 public key, 32 bytes in base64 (44 characters)"

    def parse(self, text: str, reading: Reading) -> bytes:  # noqa: ARG002
        """Give the 32 bytes."""
        try:
            key = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
        except ValueError:  # not ASCII included
            raise ValueError("") from None
        if len(key) != _LENGTH:
            raise ValueError(f"expected {self.words}, found {len(key)} bytes")
        if int.from_bytes(key, "little") % 2**255 in _SMALL_ORDER:
            raise ValueError("this key is worth nothing: anybody can sign for it; put the person's own public key")
        return key

    def say(self, value: bytes, exponent: int) -> str:  # noqa: ARG002 - a shape's signature
        """As it is written."""
        return binascii.b2a_base64(value, newline=False).decode()

    def schema(self) -> dict[str, Any]:
        """The pattern."""
        return {"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"}
