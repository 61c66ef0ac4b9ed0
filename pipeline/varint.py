"""Numbers in as few bytes as they need: seven bits a byte, the lowest first, the eighth bit saying that more follow."""

from typing import Final

SEVEN_BITS: Final = 0x7F
_SECOND: Final = 0x7F << 7
_ONE_BYTE: Final = [bytes([number]) for number in range(128)]
# The first numbers that take so many.
_THREE_BYTES: Final = 1 << 14
_FOUR_BYTES: Final = 1 << 21


def encode(number: int) -> bytes:
    """The bytes of a number that is not negative. Nearly all have two bytes or three, made at once for that."""
    if number <= SEVEN_BITS:
        return _ONE_BYTE[number]
    if number < _THREE_BYTES:
        return (number & SEVEN_BITS | 0x80 | number >> 7 << 8).to_bytes(2, "little")
    if number < _FOUR_BYTES:
        low = number & SEVEN_BITS | (number & _SECOND) << 1 | 0x8080
        return (low | number >> 14 << 16).to_bytes(3, "little")
    return bytes([number & SEVEN_BITS | 0x80]) + encode(number >> 7)


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
