"""Points as the section `points` of a policy, and back."""

from collections.abc import Sequence
from decimal import Decimal
from math import log
from typing import Final

from pipeline.points.case_names import KNOWN, case_name, case_of
from pipeline.points.rule import HOUR, RECENT_POINTS
from pipeline.points.score import Score
from pipeline.points.table import Slices, Table, case_code, case_values
from pipeline.policy.points import Points

# From which share of frauds on a payment ends so, before anybody has thought about it.
_OUTCOMES: Final = {"challenge": 0.1, "review": 0.5, "hold": 0.9}
_HEAD: Final = """\
points:
  # Calibrated on labels. Per rule and case, between the edges of `below`, the points of each slice, from the lowest up:
  #   below: [10, 50], points: [-30, 0, 120]   means: under 10, -30; from 10 to under 50, 0; from 50 on, 120.
  # 100 points are one logit above the share of frauds over all, which was {base:.4%}. A case not listed has none.
"""


def section_of(score: Score, categories: Sequence[str], base: float, mode: str = "shadow") -> str:
    """The section's YAML. `categories` are the names that the feature counts from 0, `base` the share of frauds."""
    lines = [
        f"  mode: {mode}",
        f"  outcomes: {{{', '.join(f'{name}: {points}' for name, points in _from(base).items())}}}",
        f"  fitted: {score.fitted}",
        f"  categories: [{', '.join(map(_quoted, categories))}]",
        "  tables:",
    ]
    for table in score.all_tables:
        if table.cases:
            lines.append(f"    {table.rule.name}:")
        for code, slices in sorted(table.cases.items()):
            name = _quoted(case_name(table.rule, case_values(table.rule, code), categories))
            edges = ", ".join(map(_plain, slices.edges))
            lines.append(f"      {name}: {{below: [{edges}], points: {list(slices.points)}}}")
    if not score.fitted:
        lines[-1] += " {}"
    return _HEAD.format(base=base) + "\n".join([*lines, ""])


def score_of(points: Points) -> Score:
    """The points of a section that the policy's checks have passed."""
    tables = {name: _table(name, points) for name in points.tables}
    main = tuple([tables[name] for name in KNOWN if name in tables and name not in {HOUR.name, RECENT_POINTS.name}])
    return Score(main, tables.get(HOUR.name), tables.get(RECENT_POINTS.name))


def _table(name: str, points: Points) -> Table:
    rule, found = KNOWN[name], {}
    for words, slices in points.tables[name].items():
        rule, values = case_of(KNOWN[name], words, points.categories)
        found[case_code(rule, values)] = Slices(slices.below, slices.points)
    return Table(rule, found)


def _from(base: float) -> dict[str, int]:
    return {name: round(100 * (_logit(share) - _logit(base))) for name, share in _OUTCOMES.items()}


def _logit(share: float) -> float:
    return log(share / (1 - share))


def _plain(edge: float) -> str:
    """Its six digits, never with an exponent."""
    return format(Decimal(f"{edge:.6g}"), "f")


def _quoted(text: str) -> str:
    return f'"{text}"'
