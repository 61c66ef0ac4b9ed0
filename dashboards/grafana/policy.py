"""Policy and models: which rules hold, do all workers agree, and what would shadow rules have done?"""

from dashboards.grafana.board import board
from dashboards.grafana.panels import lines, number, words

BOARD = board(
    "policy",
    "Policy and models",
    "Which policy is in force, do all workers agree, what would shadow rules have done, and was glass broken?",
    {
        "In force": [
            words(
                "Policy",
                "Name and version.",
                "max by (policy, version) (tierwatch_policy_info)",
                "{{policy}} v{{version}}",
                6,
            ),
            number(
                "Versions at once",
                "More than one for more than a moment: workers disagree.",
                "count(count by (hash) (tierwatch_policy_info))",
                colours=((None, "green"), (2, "red")),
                width=6,
            ),
            number(
                "Broken glasses",
                "Rules in shadow or actions withheld by one person, for some hours.",
                "max(tierwatch_break_glass_active)",
                colours=((None, "green"), (1, "orange")),
                width=6,
            ),
            number(
                "Not yet reviewed",
                "Broken glasses that are over and that no second person has reviewed.",
                "max(tierwatch_break_glass_unreviewed)",
                colours=((None, "green"), (1, "orange")),
                width=6,
            ),
        ],
        "Shadow against live": [
            lines(
                "Signals by mode",
                "Shadow rules fire silently: compare before they go live.",
                "short",
                {"{{mode}}": "sum by (mode) (increase(tierwatch_signals_total[5m]))"},
            ),
            lines(
                "Shadow rules",
                "What each rule in shadow would have done, in five minutes.",
                "short",
                {"{{rule}}": 'sum by (rule) (increase(tierwatch_signals_total{mode="shadow"}[5m]))'},
            ),
        ],
        "Over time": [
            lines(
                "Version by worker",
                "Steps should be at the same moment for all.",
                "short",
                {"{{instance}} {{version}}": "max by (instance, version) (tierwatch_policy_info)"},
            ),
            lines(
                "What policies were asked",
                "Entries of the audit about policies and customers, refused, in the last hour.",
                "short",
                {"{{reason}}": 'sum by (reason) (increase(tierwatch_events_total{result="refused"}[1h]))'},
            ),
        ],
    },
)
