"""docs/measured.md: each benchmark with `--write` puts its own table there, the words around it are not from here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from load_tests import table

PAGE = Path(__file__).parents[1] / "docs" / "measured.md"
# Its places, by the names of benchmarks; a second rate of latency has a place of its own.
MEASURED = {"throughput", "latency", "latency_20000", "recovery", "scale", "hot_customer", "priority", "paging", "soak"}


def write(name: str, command: str, measured: Mapping[str, Any], page: Path = PAGE) -> None:
    """Put what `command` has measured in place of what the same one said before.

    Raises:
        ValueError: the page has no place for a benchmark of this name.

    """
    rows = [f"| {what} | {value} |" for what, value in _flat("", measured)]
    table.write(page, name, [f"`{command}`", "", "| key | value |", "|---|---:|", *rows])


def _flat(prefix: str, measured: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in measured.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", f"{value:,}"
        else:
            yield f"{prefix}{name}", str(value)
