"""A dead letter: the original bytes under the original key, and headers that say why it lies there and how it came.

The processor's own headers travel along under a prefix, so that a replay finds the record as it was.
"""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.reasons import DeadLetterReason
from schemas.timestamps import format_ms, parse_ms

Headers = Sequence[tuple[str, bytes]]

REASON = "reason"
DETAIL = "detail"
TOPIC = "topic"
PARTITION = "partition"
OFFSET = "offset"
# When the record first arrived: a replayed one is judged for lateness by this, not by its new arrival.
FIRST_ARRIVAL = "tw_first_arrival"
# Present and `true` where card numbers in the value were masked.
MASKED = "masked"
# Present where the value is not the original one, masked or cut: SHA-256 (hex) and size in bytes of the original.
DIGEST = "digest"
SIZE = "size"
# Added by the worker on its way out, not by the pipeline: it is no function of the input.
WORKER_VERSION = "tw_worker_version"
ORIGINAL_PREFIX = "original_"

DETAIL_CHARACTERS = 500
# Kafka refuses records above 1 MiB: what is larger is cut here and found whole at its topic and offset.
LARGEST_VALUE = 900_000


class DeadLetter(NamedTuple):
    """What the headers of a dead letter say. `first_arrival_ms` in epoch milliseconds."""

    reason: DeadLetterReason
    detail: str
    topic: str
    partition: int
    offset: int
    first_arrival_ms: int
    masked: bool = False
    # Of the original value, where the one kept is not the original.
    digest: str = ""
    size: int | None = None
    original_headers: Headers = ()


def headers(letter: DeadLetter) -> tuple[tuple[str, bytes], ...]:
    """The Kafka headers of a dead letter."""
    said: list[tuple[str, str]] = [
        (REASON, letter.reason.value),
        (DETAIL, letter.detail[:DETAIL_CHARACTERS]),
        (TOPIC, letter.topic),
        (PARTITION, str(letter.partition)),
        (OFFSET, str(letter.offset)),
        (FIRST_ARRIVAL, format_ms(letter.first_arrival_ms)),
    ]
    if letter.masked:
        said.append((MASKED, "true"))
    if letter.digest:
        said.append((DIGEST, letter.digest))
    if letter.size is not None:
        said.append((SIZE, str(letter.size)))
    original = tuple((ORIGINAL_PREFIX + name, value) for name, value in letter.original_headers)
    return tuple((name, text.encode("utf-8", "replace")) for name, text in said) + original


def parse(received: Headers) -> DeadLetter:
    """What the headers of a dead letter say.

    Raises:
        ValueError: they are not those of a dead letter; the message names the header.

    """
    texts = {
        name: (value or b"").decode("utf-8", "replace") for name, value in received
    }  # another hand may leave it out
    missing = [name for name in (REASON, TOPIC, PARTITION, OFFSET, FIRST_ARRIVAL) if name not in texts]
    if missing:
        raise ValueError(f"not a dead letter: no header {', '.join(missing)}")
    return DeadLetter(
        reason=DeadLetterReason(texts[REASON]),
        detail=texts.get(DETAIL, ""),
        topic=texts[TOPIC],
        partition=int(texts[PARTITION]),
        offset=int(texts[OFFSET]),
        first_arrival_ms=parse_ms(texts[FIRST_ARRIVAL]),
        masked=texts.get(MASKED) == "true",
        digest=texts.get(DIGEST, ""),
        size=int(texts[SIZE]) if SIZE in texts else None,
        original_headers=tuple(
            (name.removeprefix(ORIGINAL_PREFIX), value) for name, value in received if name.startswith(ORIGINAL_PREFIX)
        ),
    )
