"""Tables that runs write into pages, between `<!-- NAME -->` and `<!-- /NAME -->`; the words around are people's."""

import re
from collections.abc import Iterable
from pathlib import Path


def read(page: Path, name: str) -> str:
    """Return the table called `name`, blank lines around it included.

    Raises:
        ValueError: the page has no place for it.

    """
    found = _place(name).search(page.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{page} has no <!-- {name} --> and <!-- /{name} -->")
    return found[0]


def write(page: Path, name: str, lines: Iterable[str]) -> None:
    """Put lines in place of the table called `name`.

    Raises:
        ValueError: the page has no place for it.

    """
    read(page, name)
    table = "\n".join(["", *lines, "", ""])
    page.write_text(_place(name).sub(lambda _: table, page.read_text(encoding="utf-8")), encoding="utf-8")


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
