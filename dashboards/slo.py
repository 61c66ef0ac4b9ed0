"""`python -m dashboards.slo [--check]`: the objectives, and from them the burn-rate rules and docs/slo.md.

Alerts go by how fast the error budget of 30 days burns, over a long window and a short one: the long one says that it
matters, the short one that it still goes on (Google's SRE workbook, chapter 5).
"""

import sys
from pathlib import Path
from typing import NamedTuple

from console.generated import keep_current

ROOT = Path(__file__).parents[1]
RULES = ROOT / "dashboards" / "prometheus" / "rules" / "slo.yml"
PAGE = ROOT / "docs" / "slo.md"
BUDGET_DAYS = 30
HOURS_A_DAY = 24


class Objective(NamedTuple):
    """One promise. `errors` is PromQL for the share of bad events over `{window}`; `budget` is the share allowed.

    Where nothing happens there is no share: 0 / 0 would make every average over that time no number.
    """

    name: str
    promise: str
    measured: str
    errors: str
    budget: float


class Burn(NamedTuple):
    """Burning `factor` times as fast as the budget allows, over both windows."""

    factor: float
    long: str
    short: str

    @property
    def spent(self) -> float:
        """The share of the budget that is gone when the long window is full."""
        hours = int(self.long[:-1]) * (HOURS_A_DAY if self.long.endswith("d") else 1)
        return self.factor * hours / (BUDGET_DAYS * HOURS_A_DAY)


OBJECTIVES = (
    Objective(
        "timely",
        "999 of 1,000 commits are done within one second of the arrival of the oldest record in them.",
        "`tierwatch_end_to_end_seconds`, at the workers",
        'clamp_min(1 - sum(rate(tierwatch_end_to_end_seconds_bucket{{le="1.0"}}[{window}]))'
        " / (sum(rate(tierwatch_end_to_end_seconds_count[{window}])) > 0), 0)",
        0.001,
    ),
    Objective(
        "judged",
        "999 of 1,000 records are judged or known duplicates; the rest are dead letters, whoever's fault they are.",
        "`tierwatch_dead_letters_total` of `tierwatch_records_total`",
        "sum(rate(tierwatch_dead_letters_total[{window}])) / (sum(rate(tierwatch_records_total[{window}])) > 0)",
        0.001,
    ),
    Objective(
        "reviewed",
        "In 999 of 1,000 moments no review, reminder or demotion has been due for more than a minute.",
        "`tierwatch_reviews_overdue_seconds`, at each look",
        "avg_over_time(tierwatch:reviews_late:bool[{window}])",
        0.001,
    ),
)
FAST = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
SLOW = (Burn(3, "1d", "2h"), Burn(1, "3d", "6h"))
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def rules() -> str:
    """Return dashboards/prometheus/rules/slo.yml."""
    return (
        "# Made from dashboards/slo.py by `python -m dashboards.slo`; do not edit. Tests: slo_test.yml.\n"
        "groups:\n"
        "  - name: slo\n"
        "    rules:\n"
        + _record("tierwatch:reviews_late:bool", "max(tierwatch_reviews_overdue_seconds) > bool 60")
        + "".join(_record("tierwatch:slo_budget:ratio", f"vector({each.budget})", each.name) for each in OBJECTIVES)
        + "".join(
            _record(_errors(window), each.errors.format(window=window), each.name)
            for each in OBJECTIVES
            for window in WINDOWS
        )
        + _alert("TierwatchBudgetBurnsFast", FAST, "page", "is being broken fast")
        + _alert("TierwatchBudgetBurnsSlowly", SLOW, "ticket", "is being broken slowly")
    )


def _errors(window: str) -> str:
    return f"tierwatch:slo_errors:ratio_rate{window}"


def _record(name: str, expression: str, slo: str = "") -> str:
    labels = f"        labels: {{slo: {slo}}}\n" if slo else ""
    return f"      - record: {name}\n        expr: {expression}\n{labels}\n"


def _alert(name: str, burns: tuple[Burn, ...], severity: str, what: str) -> str:
    either = "\n          or\n".join(
        f"          (\n"
        f"            {_errors(burn.long)} > {burn.factor:g} * tierwatch:slo_budget:ratio\n"
        f"            and {_errors(burn.short)} > {burn.factor:g} * tierwatch:slo_budget:ratio\n"
        f"          )"
        for burn in burns
    )
    return (
        f"      - alert: {name}\n"
        f"        expr: |\n{either}\n"
        f"        labels: {{severity: {severity}}}\n"
        f"        annotations:\n"
        f'          summary: The objective "{{{{ $labels.slo }}}}" {what}.\n'
        f"          description: '{{{{ $value | humanizePercentage }}}} went wrong, where 0.1% may.'\n"
        f"          runbook: dashboards/runbooks/{name}.md\n"
        f"          board: /d/tierwatch-slo\n\n"
    )


def page() -> str:
    """Return docs/slo.md."""
    promises = "".join(
        f"| `{each.name}` | {each.promise} | {1 - each.budget:.1%} | {each.measured} |\n" for each in OBJECTIVES
    )
    burns = "".join(
        f"| {alert} | {burn.factor:g} | {burn.long} | {burn.short} | {burn.spent:.0%} |\n"
        for alert, several in (("page", FAST), ("ticket", SLOW))
        for burn in several
    )
    return (
        "# Objectives\n\n"
        "Made from `dashboards/slo.py` by `python -m dashboards.slo`; do not edit.\n\n"
        f"Over {BUDGET_DAYS} days. They are starting points: measure yours for a month, then change the file above.\n\n"
        "| objective | promise | target | measured by |\n|---|---|---|---|\n"
        f"{promises}\n"
        "An alert fires when the budget burns so many times too fast over both windows; by then this share of the\n"
        "month's budget is gone.\n\n"
        "| wakes | times too fast | long window | short window | of the budget |\n|---|---|---|---|---|\n"
        f"{burns}"
    )


def main() -> int:
    """Write both files, or with `--check` return 1 where one is not current."""
    results = [keep_current(RULES, rules(), "dashboards.slo"), keep_current(PAGE, page(), "dashboards.slo")]
    return max(results)


if __name__ == "__main__":
    sys.exit(main())
