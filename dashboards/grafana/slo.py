"""SLO: how much of the budget is left, and how fast does it burn?"""

from dashboards.grafana.board import board
from dashboards.grafana.panels import lines, number
from dashboards.slo import OBJECTIVES

BOARD = board(
    "slo",
    "SLO",
    "Are the objectives of docs/slo.md met, how much of the budget is left, and how fast does it burn?",
    {
        "Budget left": [
            number(
                f"{each.name}, 30 days",
                f"{each.promise} At zero the month's budget is spent; -100% is twice that, or more.",
                f'clamp_min(1 - avg_over_time(tierwatch:slo_errors:ratio_rate5m{{slo="{each.name}"}}[30d]) / on (slo) tierwatch:slo_budget:ratio, -1)',
                "percentunit",
                ((None, "red"), (0, "orange"), (0.5, "green")),
                8,
            )
            for each in OBJECTIVES
        ],
        "Burn": [
            lines(
                "Times too fast, over an hour",
                "Above 14.4, with the last five minutes too, somebody is woken.",
                "short",
                {"{{slo}}": "tierwatch:slo_errors:ratio_rate1h / tierwatch:slo_budget:ratio"},
                alarming=14.4,
            ),
            lines(
                "Times too fast, over three days",
                "Above 1 the month will not be met.",
                "short",
                {"{{slo}}": "tierwatch:slo_errors:ratio_rate3d / tierwatch:slo_budget:ratio"},
                alarming=1,
            ),
        ],
        "Errors": [
            lines(
                "Share of bad events, five minutes",
                "Late commits, dead letters, moments with an overdue review.",
                "percentunit",
                {"{{slo}}": "tierwatch:slo_errors:ratio_rate5m"},
            ),
            lines(
                "Share of bad events, six hours",
                "The same, smoother.",
                "percentunit",
                {"{{slo}}": "tierwatch:slo_errors:ratio_rate6h"},
            ),
        ],
    },
)
