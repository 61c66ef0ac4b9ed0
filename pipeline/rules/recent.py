"""A customer's newest entries, as patterns look at them: so few that no customer is expensive."""

from typing import Final

from pipeline.behaviour.recent import LATEST_MS
from pipeline.behaviour.recent import MOST as LOOKED_AT
from pipeline.log import Entry, counts_for
from pipeline.plan import PlannedRule
from pipeline.sight import Finding, Sight
from schemas.timestamps import MS_PER_HOUR
from schemas.transaction import TRANSACTION_TYPES

# Entries are kept singly for 48 hours at least, so no pattern that needs them reaches further back.
LONGEST_MS: Final = 48 * MS_PER_HOUR
DEPOSITS: Final = 1 << TRANSACTION_TYPES.index("deposit")


def recent(sight: Sight, mask: int, within_ms: int) -> list[Entry]:
    """Those of the types in `mask` that occurred within so long up to this transaction, by the time they occurred."""
    until_ms = sight.intake.occurred_ms
    since_ms = until_ms - within_ms
    entries = sight.history.log.entries
    within: list[Entry] = []
    in_order = True
    at = len(entries)
    stop = max(0, at - LOOKED_AT)
    while at > stop:
        at -= 1
        entry = entries[at]
        time = entry.time
        if time <= since_ms - LATEST_MS:
            break
        if counts_for(entry.counted, mask) and since_ms < time <= until_ms:
            in_order = in_order and (not within or time <= within[-1].time)
            within.append(entry)
    within.reverse()
    if not in_order:
        within.sort(key=_time)
    return within


def found(rule: PlannedRule, observed: int, limit: int, entries: list[Entry]) -> Finding:
    """What a pattern has seen in these entries and the transaction; no tier buys it off."""
    finding = Finding(rule, observed, fires=True, fires_at_base=True)
    finding.limit = limit
    finding.refs = tuple([entry.position for entry in entries])
    return finding


def _time(entry: Entry) -> int:
    return entry.time
