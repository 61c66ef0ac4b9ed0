"""docs/incidents.md: a run with `--write` puts the rows of its own faults there; the words are not from here."""

import re
from collections.abc import Sequence
from pathlib import Path

from load_tests import table
from load_tests.incidents.faults import FAULTS
from load_tests.incidents.run import Incident

PAGE = Path(__file__).parents[2] / "docs" / "incidents.md"
_ROW = re.compile(r"^\| \*\*(.*?)\*\*: .*\|$", re.MULTILINE)
_COLUMNS = {
    "fault": "---",
    "alert": "---",
    "goes to": "---",
    "promised s": "---:",
    "allowed s": "---:",
    "heard s": "---:",
    "over s": "---:",
    "tries": "---:",
    "panel": "---",
    "passes": "---",
    "before": "---:",
    "in it": "---:",
    "heard besides": "---",
}


def write(told: Sequence[Incident], page: Path = PAGE) -> None:
    """Put what was heard into the page, in place of what an earlier run said of the same faults."""
    rows = {found[1]: found[0] for found in _ROW.finditer(table.read(page, "incidents"))}
    rows |= {each.fault: _row(each) for each in told}
    order = [fault.name for fault in FAULTS]
    head = [f"| {' | '.join(_COLUMNS)} |", f"|{'|'.join(_COLUMNS.values())}|"]
    table.write(page, "incidents", [*head, *(rows[name] for name in order if name in rows)])


def _row(each: Incident) -> str:
    cells = (
        each.how,
        f"[{each.alert}](../dashboards/runbooks/{each.alert}.md)",
        each.receiver,
        f"{each.promised_s:,g}",
        f"{each.allowed_s:g}",
        f"{each.heard_s:g}",
        f"{each.over_s:g}",
        str(each.tries),
        each.panel,
        each.passes,
        _shown(each.before),
        _shown(each.shown),
        ", ".join(each.besides) or "nothing",
    )
    return f"| **{each.fault}**: {' | '.join(cells)} |"


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:,g}"
