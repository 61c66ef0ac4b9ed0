"""How fast the pipeline alone judges: one core, the default policy, five tiers, skewed customers, base-tier signals."""

from collections import Counter
from statistics import median
from typing import Any

from load_tests.alone import Alone
from load_tests.month import Month
from pipeline.record import InputRecord

_BATCH = 1_000


def judge(transactions: int, seed: int) -> dict[str, Any]:
    """Return what was measured, after a warm-up of a quarter of the transactions."""
    month = Month(transactions, seed)
    alone = Alone(month.policy)
    granted = alone.take(list(month.grants()))
    refused = sum(b'"result":"refused"' in (message.value or b"") for message in granted)
    records = list(month.payments())
    warm = len(records) // 4 // _BATCH * _BATCH
    _take(alone, records[:warm])
    alone.restart_watch()
    topics = _take(alone, records[warm:])
    measured = len(records) - warm
    sizes = [len(state) for state in alone.windows.values()]
    return {
        "transactions": measured,
        "decisions": topics["decisions"],
        "transactions_per_second": round(measured / alone.cpu_seconds),
        "microseconds_per_transaction": round(alone.cpu_seconds / measured * 1e6, 2),
        "alert_share": round(topics["alerts"] / measured, 5),
        "grants_refused": refused,
        "state_bytes_median": median(sizes),
        "state_bytes_largest": alone.largest_record_bytes,
        "state_bytes_written_per_transaction": round(alone.written_bytes / measured, 1),
    }


def _take(alone: Alone, records: list[InputRecord]) -> Counter[str]:
    topics: Counter[str] = Counter()
    for first in range(0, len(records), _BATCH):
        topics.update(message.topic for message in alone.take(records[first : first + _BATCH]))
    return topics
