"""What all benchmarks share: their options, and how they say what was measured."""

import json as json_text
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from agents.compiled import is_compiled
from load_tests import measured_page

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, on the last line.")]
Write = Annotated[bool, typer.Option("--write", help="Write what was measured into docs/measured.md.")]
Seed = Annotated[int, typer.Option(help="The same seed is the same traffic.")]


def tell(name: str, measured: dict[str, Any], *, json: bool, place: str | None = None) -> None:
    """Print what was measured; `place` is where docs/measured.md takes it, None: nowhere."""
    measured = {"compiled": is_compiled(), **measured}
    if json:
        print(json_text.dumps({"benchmark": name, **measured}), flush=True)
    else:
        table = Table(title=name, title_justify="left", show_header=False)
        for what, value in measured.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            table.add_row(what.replace("_", " "), f"{value:,}" if number else str(value))
        Console().print(table)
    if place is not None:
        words = " ".join(word for word in sys.argv[1:] if word not in {"--json", "--write"})
        measured_page.write(place, f"python -m load_tests {words}", measured)
