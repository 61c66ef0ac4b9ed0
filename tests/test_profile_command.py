"""`tierwatch profile`: what is usual, in words, a picture and JSON, from replayed lines."""

import json
from pathlib import Path

from agents.exit_codes import Exit
from console.chart import columns
from tests.command import tierwatch

DAY = "2026-11-{day:02d}T{hour:02d}:00:00Z"


def payment(number: int, day: int, hour: int, amount: int) -> str:
    value = {
        "transaction_id": f"t-{number}",
        "source": "p",
        "customer_id": "c-1",
        "occurred_at": DAY.format(day=day, hour=hour),
        "amount": amount,
        "currency": "USD",
        "transaction_type": "purchase",
        "mcc": "5411",
        "channel": "pos",
        "country": "US",
        "payee_id": f"payee-{number % 3}",
    }
    return json.dumps({"topic": "transactions", "value": value})


def log(folder: Path) -> Path:
    file = folder / "log.jsonl"
    lines = [payment(day, day, 9, 1_000) for day in range(1, 21)]
    file.write_text("\n".join([*lines, payment(99, 21, 9, 9_000), ""]))
    return file


def test_what_is_usual_is_told_as_json(tmp_path: Path) -> None:
    done = tierwatch("profile", "c-1", log(tmp_path), "--json")
    told = json.loads(done.stdout)
    assert (told["payments"], told["spikes_14d"], told["highest_spike"]) == (21, 1, 9.0)
    # The outlier counted as a spike of 2.5 times the usual, and no more.
    assert 1_000 < told["usual_minor"] < 1_100
    assert told["categories"] == [{"category": "5411/pos", "payments": 21, "usual_minor": told["usual_minor"]}]
    assert told["countries"] == {"US": 21}
    assert (told["payees"], told["new_payees_7d"]) == (3, 0)
    assert [hour for hour, count in enumerate(told["hours"]) if count] == [9]
    assert told["days_minor"][-21:] == [*[1_000] * 20, 9_000]


def test_the_same_stands_in_words_with_a_picture(tmp_path: Path) -> None:
    said = tierwatch("profile", "c-1", log(tmp_path)).stdout.decode()
    assert said.startswith("c-1: 21 payments from 2026-11-01T09:00:00.000Z to 2026-11-21T09:00:00.000Z\n")
    assert "1 spike in 14 days, the highest 9.0 times the usual" in said
    assert "│ 9,000" in said


def test_of_whom_nothing_is_known_nothing_is_said(tmp_path: Path) -> None:
    done = tierwatch("profile", "c-2", log(tmp_path))
    assert (done.returncode, b"nothing is known of the customer c-2" in done.stderr) == (Exit.BAD_INPUT, True)


def test_the_highest_column_reaches_the_top_and_whatever_is_there_is_seen() -> None:
    top, bottom = columns([0, 1, 100], rows=2)
    assert (top, bottom) == ("│  █│ 100", "│ ▁█│")
    assert list(columns([0, 0], rows=1)) == ["│  │ 0"]
