"""How fast the pipeline alone judges: one core, the default policy, five tiers, skewed customers, base-tier signals."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from agents.compiled import ROOT, bring, can_compile, is_compiled
from agents.garbage import collect_seldom
from load_tests.alone import Alone
from load_tests.month import Month
from load_tests.state import profile_bytes
from pipeline.record import InputRecord

# What a worker that is far behind was seen to commit at once, on average of a partition's units: 1,560.
_BATCH = 1_500
# A process has one of the two pipelines, and has it before it imports anything of it.
_PURE = "from load_tests.judge import main; main()"
_PROGRAMS = {"pure": _PURE, "compiled": f"from agents.compiled import prefer; prefer(); {_PURE}"}


def judge_apart(kinds: Sequence[str], transactions: int, seed: int, repeats: int) -> dict[str, dict[str, Any]]:
    """Return for each kind, `pure` or `compiled`, the fastest of its runs: other programs only ever slow one down.

    The runs take turns, each in a process of its own. What is to be compiled is, if it was not; where there is no
    compiler a line says so, and it is measured in pure Python.
    """
    if "compiled" in kinds and not is_compiled():
        _compile()
    runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    for _ in range(repeats):
        for kind, done in runs.items():
            command = [sys.executable, "-c", _PROGRAMS[kind], str(transactions), str(seed)]
            told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
            done.append(json.loads(told))
    return {kind: min(done, key=lambda run: run["microseconds_per_transaction"]) for kind, done in runs.items()}


def _compile() -> None:
    if not can_compile():
        sys.stderr.write("no mypyc or no C compiler here: this is pure Python\n")
        return
    try:
        bring()
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"{error.stderr}\nThe pipeline could not be compiled: this is pure Python.\n")


def main() -> None:
    """Measure in this process, and print what was measured as JSON."""
    collect_seldom()  # as a worker does
    transactions, seed = map(int, sys.argv[1:])
    print(json.dumps({"compiled": is_compiled(), **judge(transactions, seed)}))


def judge(transactions: int, seed: int) -> dict[str, Any]:
    """Return what was measured, after a warm-up of a quarter of the transactions."""
    month = Month(transactions, seed)
    alone = Alone(month.policy)
    granted = alone.take(list(month.grants()))
    refused = sum(b'"result":"refused"' in (message.value or b"") for message in granted)
    records = list(month.payments())
    warm = len(records) // 4
    _take(alone, records[:warm])
    alone.restart_watch()
    topics = _take(alone, records[warm:])
    measured = len(records) - warm
    profiles = {key: profile_bytes(alone, key) for key in alone.windows}
    sizes = [len(state) - profiles[key] for key, state in alone.windows.items()]
    batches = sorted(alone.each_cpu_seconds)
    return {
        "transactions": measured,
        "decisions": topics["decisions"],
        "transactions_per_second": round(measured / alone.cpu_seconds),
        "microseconds_per_transaction": round(alone.cpu_seconds / measured * 1e6, 2),
        # Of single batches: what is left when other programs happen to rest.
        "microseconds_in_the_fastest_tenth": round(batches[len(batches) // 10] * 1e6, 2),
        "of_which_states_microseconds": round(alone.states_cpu_seconds / measured * 1e6, 2),
        "alert_share": round(topics["alerts"] / measured, 5),
        "grants_refused": refused,
        "state_bytes_median": median(sizes),
        "profile_bytes_median": median(profiles.values()),
        "state_bytes_largest": alone.largest_record_bytes,
        "state_bytes_written_per_transaction": round(alone.written_bytes / measured, 1),
    }


def _take(alone: Alone, records: list[InputRecord]) -> Counter[str]:
    topics: Counter[str] = Counter()
    for first in range(0, len(records), _BATCH):
        topics.update(message.topic for message in alone.take(records[first : first + _BATCH]))
    return topics
