"""Points as the section of a policy that people read, compare and approve, and back."""

from collections.abc import Sequence
from typing import Any, Final

import yaml

from pipeline.points.rule import HOUR, RECENT_POINTS, RULES, Rule
from pipeline.points.score import Score
from pipeline.points.table import Slices, Table, case_code, case_values

_KNOWN: Final = {rule.name: rule for rule in (*RULES, HOUR, RECENT_POINTS)}
_HEAD: Final = """\
# Points by rule and case. Between `below` edges, from the lowest slice up, stand the points of each slice:
#   below: [10, 50]  points: [-3, 0, 12]   means: under 10, -3; from 10 to under 50, 0; from 50 on, 12.
# 100 points are one logit above the share of frauds over all. The strongest rule leads; a case not listed has none.
"""


class PointsError(ValueError):
    """The section is not one of points; the message says where."""


def to_yaml(score: Score, categories: Sequence[str]) -> str:
    """The section; `categories` are the names that the feature of that name counts from 0."""
    lines = [_HEAD + f"fitted: {score.fitted}", f"categories: [{', '.join(map(_quoted, categories))}]", "points:"]
    for table in score.all_tables:
        lines.append(f"  - rule: {table.rule.name}")
        lines.append(f"    by: [{', '.join(case.feature for case in table.rule.cases)}]")
        lines.append("    cases:")
        for code, slices in sorted(table.cases.items()):
            values = ", ".join(_value(table.rule, index, value, categories) for index, value in _cases(table, code))
            edges = ", ".join(f"{edge:.6g}" for edge in slices.edges)
            lines.append(f"      - {{case: [{values}], below: [{edges}], points: {list(slices.points)}}}")
    return "\n".join([*lines, ""])


def from_yaml(text: str) -> tuple[Score, tuple[str, ...]]:
    """The points of a section, and the names of categories.

    Raises:
        PointsError: it is none.

    """
    try:
        document = yaml.safe_load(text)
        categories = tuple(document["categories"])
        tables = {entry["rule"]: _table(entry, categories) for entry in document["points"]}
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise PointsError(f"not a section of points: {error}") from None
    main = tuple([table for name, table in tables.items() if name not in {HOUR.name, RECENT_POINTS.name}])
    return Score(main, tables.get(HOUR.name), tables.get(RECENT_POINTS.name)), categories


def _table(entry: dict[str, Any], categories: tuple[str, ...]) -> Table:
    whole = _KNOWN[entry["rule"]]
    by = set(entry["by"])
    rule = whole._replace(cases=tuple([case for case in whole.cases if case.feature in by]))
    cases = {}
    for each in entry["cases"]:
        values = [categories.index(value) if isinstance(value, str) else int(value) for value in each["case"]]
        edges, points = tuple(map(float, each["below"])), tuple(map(int, each["points"]))
        if len(points) != len(edges) + 1 or list(edges) != sorted(edges):
            raise PointsError(f"{rule.name} {each['case']}: one more point than ascending edges is needed")
        cases[case_code(rule, values)] = Slices(edges, points)
    return Table(rule, cases)


def _cases(table: Table, code: int) -> list[tuple[int, int]]:
    return list(enumerate(case_values(table.rule, code)))


def _value(rule: Rule, index: int, value: int, categories: Sequence[str]) -> str:
    named = rule.cases[index].feature == "category" and value < min(len(categories), rule.cases[index].most)
    return _quoted(categories[value]) if named else str(value)


def _quoted(text: str) -> str:
    return f'"{text}"'
