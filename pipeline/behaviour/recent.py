"""The payments of the last day: how many, how much, how long ago. Asked of what is remembered anyway."""

from collections.abc import Sequence
from typing import Final

from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

# Of a busier customer the newest so many are looked at.
MOST: Final = 64
NEVER: Final = -1.0

# When (epoch ms) and how much (minor units), in the order of arrival.
Recent = Sequence[tuple[int, int]]


def look(recent: Recent, at_ms: int) -> tuple[float, float, float, float]:
    """Payments of the last hour and of 24 hours, their sum, and hours since the last of them (`NEVER`: none)."""
    last_hour = last_day = total = 0
    latest_ms = -1
    for when, amount in recent[-MOST:]:
        if at_ms - MS_PER_DAY < when <= at_ms:
            last_day += 1
            total += amount
            if when > at_ms - MS_PER_HOUR:
                last_hour += 1
            latest_ms = max(latest_ms, when)
    since = (at_ms - latest_ms) / MS_PER_HOUR if last_day else NEVER
    return float(last_hour), float(last_day), float(total), since
