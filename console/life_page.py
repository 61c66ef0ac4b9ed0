"""`python -m console.life_page [--check]`: write `docs/life.md` from the table that the code runs."""

import sys
from collections.abc import Callable, Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any

from console.generated import keep_current
from pipeline.whitelist.table import AT_ONCE, EVENTS, ON_TIME, STATES, AtOnce, OnTime, Region, Row

PAGE = Path(__file__).parents[1] / "docs" / "life.md"
_HEAD = """\
<!-- Made from pipeline/whitelist/table.py by `python -m console.life_page`; do not edit. -->
# The life of a customer

Five things are true of a customer at any time, one of each part: how far an **application** is, whether it has
**clearance** (one that is *stopped* is never approved, and goes on in the customer's eyes), what **standing** the
customer has (*base* is the absence of a grant, and what remains when one has ended), whether **trust** is full or was
lowered, and whether the **account** is open. Nothing leads anywhere but the transitions below; an event that comes
elsewhere is refused as `not_now`, and the audit says where the customer is. Of several transitions of one event the
first is taken whose state fits and whose *if* holds.

Stories of all of them: [tests/scenarios](../tests/scenarios). Why it is so:
[the decision](decisions/0005-life-of-a-customer.md).
"""
_CAUSE = {AtOnce: "at once", OnTime: "the clock"}


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for region in STATES:
        parts.append(f"## {region.capitalize()}\n\n{_diagram(region)}")
        parts.append(_table(region))
    return "\n".join(parts)


def _rows(region: Region) -> Iterator[Row | AtOnce | OnTime]:
    yield from (row for table in (EVENTS, AT_ONCE, ON_TIME) for row in table if row.region == region)


def _diagram(region: Region) -> str:
    """Only what moves: a transition that stays where it is stands in the table."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in _rows(region):
        for source in row.sources:
            for to in row.to:
                if source != to and set(row.sources) != set(row.to):
                    arrows.setdefault((source, to), []).append(row.name)
    first = STATES[region][0]
    lines = [f"    {source} --> {to}: {', '.join(names)}" for (source, to), names in arrows.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "```", ""])


def _table(region: Region) -> str:
    lines = [
        "| transition | on | from | to | if | refused unless | what it does |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(_cells(region, row))} |" for row in _rows(region)]
    return "\n".join(lines) + "\n"


def _cells(region: Region, row: Row | AtOnce | OnTime) -> tuple[str, ...]:
    if isinstance(row, Row):
        cause = ", ".join(f"`{event.__struct_config__.tag}`" for event in row.on)
        guards = " ".join(_first_line(guard) for guard in row.guards)
    else:
        cause, guards = _CAUSE[type(row)], ""
        if isinstance(row, OnTime):
            cause = f"{cause}: {_lowered(_first_line(row.due))}"
    when = _first_line(row.when) if row.when is not None else ""
    return (
        f"`{row.name}`",
        cause,
        _states(region, row.sources),
        "the same" if row.sources == row.to else _states(region, row.to),
        when,
        guards,
        _first_line(row.act),
    )


def _states(region: Region, states: tuple[str, ...]) -> str:
    return "any" if set(states) == set(STATES[region]) else " or ".join(states)


def _first_line(of: Callable[..., Any]) -> str:
    return (getdoc(of) or "").partition("\n\n")[0].replace("\n", " ")


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def main() -> int:
    """Write the page, or with `--check` return 1 where it is not current."""
    return keep_current(PAGE, page(), "console.life_page")


if __name__ == "__main__":
    sys.exit(main())
