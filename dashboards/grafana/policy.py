"""Policy and models: which rules hold, do all workers agree, and what would shadow rules have done?"""

from dashboards.grafana.board import board
from dashboards.grafana.panels import busy, lines, number, words

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
                {"{{rule}}": busy("rule", 'sum by (rule) (increase(tierwatch_signals_total{mode="shadow"}[5m]))')},
            ),
        ],
        "Models": [
            words(
                "Model",
                "Its hash; in shadow or live.",
                "max by (model, mode) (tierwatch_model_info)",
                "{{mode}} {{model}}",
                6,
            ),
            number(
                "File missing",
                "The policy names a model whose file workers do not have: nothing is asked.",
                "max(tierwatch_model_missing)",
                colours=((None, "green"), (1, "red")),
                width=6,
                words={0: "no", 1: "missing"},
            ),
            lines(
                "Drift",
                "How far each feature, and the score, has moved from what the model learned from: train anew above 0.25.",
                "short",
                {"{{feature}}": "topk(8, max by (feature) (tierwatch_drift))"},
            ),
            lines(
                "What model and points found",
                "Signals of the learned score and of points, by mode, in five minutes.",
                "short",
                {
                    "{{rule}} {{mode}}": 'sum by (rule, mode) (increase(tierwatch_signals_total{rule=~"learned|points"}[5m]))'
                },
            ),
        ],
        "Over time": [
            lines(
                "Workers by version",
                "One line takes over from the other at one moment; two side by side are workers that disagree.",
                "short",
                {"{{policy}} v{{version}}": "count by (policy, version) (tierwatch_policy_info)"},
            ),
            lines(
                "What was said of policies",
                "Proposals, approvals, rollbacks, broken glasses in the last hour, and what became of them.",
                "short",
                {
                    "{{done}}": busy(
                        "done",
                        'sum by (done) (label_join(increase(tierwatch_audited_total{what=~"policy[.].*"}[1h]), "done", ": ", "what", "result"))',
                    )
                },
            ),
        ],
        "Drift": [
            lines(
                "Off its own past, by tier",
                "What is not simply passed: the last hour against the day before. From 3 on, or below a third, TierwatchTierOffItsPast.",
                "short",
                {
                    "{{tier}}": "tier:tierwatch_decisions_caught:ratio_rate1h / avg_over_time(tier:tierwatch_decisions_caught:ratio_rate1h[1d])"
                },
                alarming=3,
            ),
            lines(
                "Rules off their own past",
                "Live signals of the last hour against the day's mean hour: a rule that goes blind or wild; higher on a house's first day.",
                "short",
                {
                    "{{rule}}": 'sum by (rule) (increase(tierwatch_signals_total{mode="live"}[1h])) / (sum by (rule) (increase(tierwatch_signals_total{mode="live"}[1d])) / 24 > 0)'
                },
            ),
        ],
    },
)
