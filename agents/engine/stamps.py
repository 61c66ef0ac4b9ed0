"""When an alert passed through this worker, told by its headers: where the time went when one comes late."""

from msgspec.structs import replace

from pipeline.record import Message
from schemas.stages import FETCHED_AT, JUDGED_AT
from schemas.timestamps import format_ms

ALERTS = "alerts"


def stamp(messages: list[Message], fetched_ms: int, judged_ms: int) -> None:
    """Add to each alert when its transaction was fetched and judged, epoch milliseconds; nothing else is stamped."""
    stamps = None
    for place, message in enumerate(messages):
        if message.topic == ALERTS:
            stamps = stamps or _stamps(fetched_ms, judged_ms)
            messages[place] = replace(message, headers=(*message.headers, *stamps))


def _stamps(fetched_ms: int, judged_ms: int) -> tuple[tuple[str, bytes], ...]:
    return ((FETCHED_AT, format_ms(fetched_ms).encode()), (JUDGED_AT, format_ms(judged_ms).encode()))
