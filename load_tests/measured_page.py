"""docs/measured.md: each benchmark with `--write` puts its own table there, the words around it are not from here."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "measured.md"


def write(name: str, command: str, measured: Mapping[str, Any], page: Path = PAGE) -> None:
    """Put what `command` has measured in place of what the same one said before.

    Raises:
        ValueError: the page has no place for a benchmark of this name.

    """
    rows = [f"| {what} | {value} |" for what, value in _flat("", measured)]
    table = "\n".join(["", f"`{command}`", "", "| key | value |", "|---|---:|", *rows, "", ""])
    place = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    text, placed = place.subn(lambda _: table, page.read_text())
    if not placed:
        raise ValueError(f"{page} has no <!-- {name} --> and <!-- /{name} -->")
    page.write_text(text)


def _flat(prefix: str, measured: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in measured.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", f"{value:,}"
        else:
            yield f"{prefix}{name}", str(value)
