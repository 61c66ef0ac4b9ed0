"""docs/chaos.md: each run with `--write` puts its own row into the table, the words around it do not come from here."""

import re
from pathlib import Path
from typing import Any

from load_tests import table

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"
_ROW = re.compile(r"^\| (\d+) \|.*\|$", re.MULTILINE)
_COLUMNS = {
    "transactions": "transactions",
    "faults": "faults",
    "lost": "lost",
    "repeated": "repeated",
    "strange": "out of place",
    "state_differences": "states that differ",
    "seconds": "seconds",
}


def write(seed: int, verdict: dict[str, Any], page: Path = PAGE) -> None:
    """Put a verdict into the page, in place of what an earlier run of the same seed and size said."""
    rows = {_key(row[0]): row[0] for row in _ROW.finditer(table.read(page, "runs"))}
    kinds = ", ".join(f"{name} {count}" for name, count in verdict["faults_of_each_kind"].items())
    ended = len(verdict["workers_ended_by_themselves"])
    row = f"| {seed} | {' | '.join(f'{verdict[name]:,}' for name in _COLUMNS)} | {ended} | {kinds} |"
    rows[_key(row)] = row
    head = f"| seed | {' | '.join(_COLUMNS.values())} | workers that ended by themselves | which faults |"
    table.write(page, "runs", [head, f"|{'---:|' * (len(_COLUMNS) + 2)}---|", *(rows[key] for key in sorted(rows))])


def _key(row: str) -> tuple[int, int]:
    seed, transactions = (int(cell.replace(",", "")) for cell in row.split("|")[1:3])
    return seed, transactions
