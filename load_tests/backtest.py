"""How fast a month is judged again: `tierwatch backtest` of JSON Lines, its customers shared by processes."""

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents.compiled import is_compiled
from console.backtest.run import run
from console.record_lines import write_line
from load_tests.month import Month
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from pipeline.policy.rewrite import with_limits
from pipeline.record import InputRecord, Message


def backtest(transactions: int, seed: int, processes: int) -> dict[str, Any]:
    """Return what was measured: under a policy of half the limits, and beside the one they are from."""
    month = Month(transactions, seed)
    half = {tier.name: {name: limit // 2 for name, limit in tier.limits.items()} for tier in month.policy.tiers}
    other = load_policy(with_limits(month.policy_yaml, half, 2))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "month.jsonl"
        with file.open("wb") as out:
            out.writelines(map(_line, month.grants()))
            out.writelines(map(_line, month.payments()))
        return {
            "compiled": is_compiled(),
            "processes": processes,
            "transactions": transactions,
            "one_policy": _measured(file, [other], processes),
            "two_policies": _measured(file, [other, month.policy], processes),
        }


def _line(record: InputRecord) -> bytes:
    line = write_line(Message(record.topic, record.key, record.value))
    return line[:-2] + b',"timestamp":%d}\n' % record.timestamp


def _measured(file: Path, policies: list[Policy], processes: int) -> dict[str, Any]:
    before = _cpu_seconds()
    began = time.monotonic()
    judged = run([str(file)], "", policies, processes)
    seconds = time.monotonic() - began
    cpu = _cpu_seconds() - before
    return {
        "transactions_per_second": round(judged.transactions / seconds),
        "judgements_per_second": round(judged.transactions * len(policies) / seconds),
        # Of all processes together; other programs do not count here.
        "cpu_microseconds_per_transaction": round(cpu / judged.transactions * 1e6, 2),
        "alerts": [sum(each.alert for each in said.fired.values()) for said in judged.said],
    }


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
