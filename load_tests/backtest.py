"""How fast a month is judged again: `tierwatch backtest` of JSON Lines, its customers shared by processes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents.compiled import ROOT, is_compiled
from load_tests.month import Month
from pipeline.policy.rewrite import with_limits
from pipeline.record import InputRecord


def backtest(transactions: int, seed: int, processes: int) -> dict[str, Any]:
    """Return what was measured: under a policy of half the limits, and beside the one they are from."""
    month = Month(transactions, seed)
    half = {tier.name: {name: limit // 2 for name, limit in tier.limits.items()} for tier in month.policy.tiers}
    with TemporaryDirectory() as folder:
        old, new, history = (str(Path(folder) / name) for name in ("old.yaml", "new.yaml", "month.jsonl"))
        Path(old).write_bytes(month.policy_yaml)
        Path(new).write_bytes(with_limits(month.policy_yaml, half, 2))
        with Path(history).open("wb") as out:
            out.writelines(map(_line, month.grants()))
            out.writelines(map(_line, month.payments()))
        options = ["--json", "--processes", str(processes), "--policy", new]
        return {
            "compiled": is_compiled(),
            "processes": processes,
            "transactions": transactions,
            "one_policy": _measured([*options, history]),
            "two_policies": _measured([*options, "--against", old, history]),
        }


def _line(record: InputRecord) -> bytes:
    value = record.value or b"null"
    return b'{"topic":"%b","value":%b,"timestamp":%d}\n' % (record.topic.encode(), value, record.timestamp)


def _measured(arguments: list[str]) -> dict[str, Any]:
    before = _cpu_seconds()
    command = [sys.executable, "-m", "console", "backtest", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    cpu = _cpu_seconds() - before
    told = json.loads(done.stdout.splitlines()[-1])
    return {
        "transactions_per_second": told["transactions_per_s"],
        # Of all its processes, from their start to their end; other programs do not count here.
        "cpu_microseconds_per_transaction": round(cpu / told["report"]["transactions"] * 1e6, 2),
        "alerts": [side["alerts"] for side in told["report"]["sides"]],
    }


def _cpu_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system
