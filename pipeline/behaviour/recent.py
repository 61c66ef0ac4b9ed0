"""The payments of the last day: how many, how much, how long ago. Asked of what is remembered anyway."""

from typing import Final

from pipeline.behaviour.payment import comes_in, gives_back
from pipeline.log import Entry, amount_of, is_declined, type_of
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

# How many of the entries that arrived last are looked at; none beyond one so old that, as late as a record may come,
# none before it can be younger than what is asked for.
MOST: Final = 64
LATEST_MS: Final = 25 * MS_PER_HOUR
NEVER: Final = -1.0


def look(entries: list[Entry], at_ms: int) -> tuple[float, float, float, float]:
    """Payments of the last hour and of 24 hours, their sum, and hours since the last of them (`NEVER`: none).

    `entries` stand in the order of arrival; what was declined, came in or went back is no payment.
    """
    hour_ago, day_ago = at_ms - MS_PER_HOUR, at_ms - MS_PER_DAY
    last_hour = last_day = total = 0
    latest_ms = -1
    at = len(entries)
    stop = max(0, at - MOST)
    while at > stop:
        at -= 1
        entry = entries[at]
        time = entry.time
        if time <= day_ago - LATEST_MS:
            break
        if day_ago < time <= at_ms:
            counted = entry.counted
            kind = type_of(counted)
            if is_declined(counted) or comes_in(kind) or gives_back(kind):
                continue
            last_day += 1
            total += amount_of(counted)
            if time > hour_ago:
                last_hour += 1
            latest_ms = max(latest_ms, time)
    since = (at_ms - latest_ms) / MS_PER_HOUR if last_day else NEVER
    return float(last_hour), float(last_day), float(total), since
