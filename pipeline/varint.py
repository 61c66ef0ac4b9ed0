"""Numbers in as few bytes as they need: seven bits a byte, the lowest first, the eighth bit saying that more follow."""

from typing import Final

SEVEN_BITS: Final = 0x7F
_BYTES: Final = [bytes([number]) for number in range(256)]


def encode(number: int) -> bytes:
    """The bytes of a number that is not negative."""
    if number <= SEVEN_BITS:
        return _BYTES[number]
    return _BYTES[number & SEVEN_BITS | 0x80] + encode(number >> 7)


def read(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Return the number that begins at `at`, and where the next one begins.

    Raises:
        IndexError: the bytes end within a number.

    """
    number = shift = 0
    while data[at] > SEVEN_BITS:
        number |= (data[at] & SEVEN_BITS) << shift
        shift += 7
        at += 1
    return number | data[at] << shift, at + 1
