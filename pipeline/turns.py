"""Whose turn it is when: what concerns many at once comes to each at a moment of their own."""

from zlib import crc32


def share_ms(customer_id: str, of_ms: int) -> int:
    """A customer's own part of a stretch of time, 0 <= part < `of_ms`: always the same, and evenly spread over many."""
    return crc32(customer_id.encode()) * of_ms >> 32
