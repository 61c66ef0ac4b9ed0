"""docs/chaos.md: a run writes its own row and leaves all others, and all words, as they are."""

from pathlib import Path
from typing import Any

from load_tests.chaos import page

VERDICT: dict[str, Any] = {
    "transactions": 16_000,
    "faults": 3,
    "lost": 0,
    "repeated": 0,
    "strange": 0,
    "state_differences": 0,
    "seconds": 60,
    "faults_of_each_kind": {"kill": 2, "zombie": 1},
    "workers_ended_by_themselves": [],
}


def test_a_run_replaces_its_own_row_only(tmp_path: Path) -> None:
    written = tmp_path / "chaos.md"
    written.write_text("before\n<!-- runs -->\n<!-- /runs -->\nafter\n")
    page.write(2, VERDICT, written)
    page.write(1, VERDICT, written)
    page.write(2, {**VERDICT, "lost": 7}, written)
    text = written.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert [line for line in text.splitlines() if line[2:3].isdigit()] == [
        "| 1 | 16,000 | 3 | 0 | 0 | 0 | 0 | 60 | 0 | kill 2, zombie 1 |",
        "| 2 | 16,000 | 3 | 7 | 0 | 0 | 0 | 60 | 0 | kill 2, zombie 1 |",
    ]
