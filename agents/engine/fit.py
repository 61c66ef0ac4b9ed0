"""Dead letters that Kafka would refuse: a hostile record must not stand in the way of the next one for ever.

The pipeline cuts long values. What can still be too large is what came along with them: the record's own headers, and a
key of up to a megabyte. Nothing is lost by that: the dead letter names topic and offset, where all of it is.
"""

from hashlib import sha256

from msgspec.structs import replace

from pipeline.record import Message
from schemas import dead_letter
from schemas.codec import MAX_BYTES

# What a batch and a record add to keys, values and headers, generously.
_OVERHEAD = 4_096
_PER_HEADER = 16
LARGEST = MAX_BYTES - _OVERHEAD
LARGEST_KEY = 64 * 1024


def fitted(letter: Message) -> Message:
    """Return a dead letter that Kafka takes: the same, unless it is too large."""
    if _size(letter) <= LARGEST:
        return letter
    headers = tuple(header for header in letter.headers if not header[0].startswith(dead_letter.ORIGINAL_PREFIX))
    shorter = replace(letter, key=letter.key and letter.key[:LARGEST_KEY], headers=headers)
    value = letter.value
    if _size(shorter) <= LARGEST or value is None:
        return shorter
    if dead_letter.DIGEST not in dict(headers):
        told = (dead_letter.DIGEST, sha256(value).hexdigest().encode()), (dead_letter.SIZE, str(len(value)).encode())
        shorter = replace(shorter, headers=headers + told)
    return replace(shorter, value=value[: LARGEST - _size(shorter)])


def _size(message: Message) -> int:
    headers = sum(len(name.encode()) + len(value or b"") + _PER_HEADER for name, value in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers
