"""`python -m load_tests`: each benchmark measures what it says, on a small scale; speed itself is never tested."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import encode
from schemas.transaction import Transaction


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "load_tests", *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def measured(*arguments: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run(*arguments, "--json").splitlines()[-1])
    return result


def test_without_a_name_it_lists_the_benchmarks() -> None:
    listed = run()
    assert all(name in listed for name in ("judge", "busy", "state"))


def test_judge_decides_every_transaction_and_grants_every_tier() -> None:
    result = measured("judge", "--pure", "--transactions", "4000")
    assert result["benchmark"] == "judge"
    assert result["decisions"] == result["transactions"] == 3000
    assert result["grants_refused"] == 0
    assert result["transactions_per_second"] > 0
    assert 0 < result["state_bytes_median"] <= result["state_bytes_largest"]


def test_a_unit_of_work_decides_every_transaction_and_says_what_each_stage_took() -> None:
    result = measured("unit", "--transactions", "12000")
    assert result["decisions"] == result["transactions"] == 9_000
    stages = [result[name] for name in ("unpack", "judge", "tick", "states", "remember", "batches", "checksums")]
    assert all(each > 0 for each in stages)
    assert result["all"] == pytest.approx(sum(stages), abs=0.01)
    assert result["bytes"] > 400  # a decision, and most of a state


def test_a_table_for_people() -> None:
    assert "transactions per second" in run("judge", "--pure", "--transactions", "1000")


def test_busy_finds_the_duplicate_of_the_first_hour() -> None:
    result = measured("busy", "--transactions", "4000")
    assert result["duplicate_of_the_first_hour_found"] is True
    assert result["records"] > 4000
    assert result["ratio"] > 0
    assert result["state_bytes_largest_record"] < 64 * 1024


def test_state_counts_one_state_for_each_customer(tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    payments = [
        Transaction(
            transaction_id=f"t-{number}",
            customer_id=f"c-{number % 3}",
            occurred_at=f"2026-03-01T10:00:{number:02d}.000Z",
            amount=1_000,
            currency="USD",
            transaction_type="purchase",
            source="test",
        )
        for number in range(30)
    ]
    lines.write_bytes(b"".join(b'{"topic":"transactions","value":%b}\n' % encode(payment) for payment in payments))
    result = measured("state", str(lines))
    assert (result["records"], result["customers"]) == (30, 3)
    assert 0 < result["state_bytes_median"] <= result["state_bytes_largest"]
