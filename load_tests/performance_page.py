"""docs/performance.md: its tables come from `load_tests judge --both --write` and `load_tests unit --write`.

The words around them do not.
"""

import platform
from pathlib import Path
from typing import Any

from load_tests import table

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_FIGURES = {
    "transactions_per_second": "transactions a second, one core",
    "microseconds_per_transaction": "µs of CPU a transaction",
    "microseconds_in_the_fastest_tenth": "the same in the fastest tenth of batches, when others rest",
    "of_which_states_microseconds": "of them for the changed states' bytes",
    "state_bytes_written_per_transaction": "bytes of state written a transaction",
    "state_bytes_median": "bytes of the median customer's state",
    "alert_share": "share of transactions that raise an alert",
}
_STAGES = {
    "unpack": "records out of the bytes of a fetch, their checksum",
    "judge": "judge: decode, check, remember, decide, write the decision",
    "tick": "the clock's look at customers on tiers, once a day each",
    "states": "changed states as bytes",
    "remember": "the tables in memory",
    "batches": "decisions and states as Kafka's records, with their headers",
    "checksums": "the batches' checksums",
    "all": "all of these",
}


def write(measured: dict[str, dict[str, Any]]) -> None:
    """Put the figures into the page; `measured` by `compiled` and `pure`, as `judge_apart` returns it."""
    kinds = list(measured)
    counted = measured[kinds[0]]["transactions"]
    lines = [
        f"| {counted:,} transactions, Python {platform.python_version()} | {' | '.join(kinds)} |",
        f"|---|{'---:|' * len(kinds)}",
    ]
    for name, words in _FIGURES.items():
        figures = " | ".join([f"{measured[kind][name]:,}" for kind in kinds])
        lines.append(f"| {words} | {figures} |")
    table.write(PAGE, "judge", lines)


def write_stages(measured: dict[str, Any]) -> None:
    """Put the stages of a unit of work into the page, as `load_tests.unit` returns them."""
    lines = ["| stage | µs of CPU a transaction | share |", "|---|---:|---:|"]
    lines += [
        f"| {words} | {measured[name]:,} | {measured[name] / measured['all']:.0%} |" for name, words in _STAGES.items()
    ]
    table.write(PAGE, "unit", lines)
