"""Fraud and tiers: what is found where, and what does the whitelist let through?"""

from dashboards.grafana.board import board
from dashboards.grafana.panels import busy, lines, number

BOARD = board(
    "fraud",
    "Fraud and tiers",
    "What is found, by rule and by tier, what did people make of it, and what does the whitelist let through?",
    {
        "Last hour": [
            number(
                "Alerts",
                "What the security team was given.",
                'sum(increase(tierwatch_published_total{topic="alerts"}[1h]))',
                width=4,
            ),
            number(
                "Holds asked for",
                "Accounts that the core system was asked to hold.",
                'sum(increase(tierwatch_account_actions_total{action="hold"}[1h])) or vector(0)',
                width=5,
            ),
            number(
                "Money held",
                "Of transactions that ended in `hold`, in units of the policy's base currency.",
                'sum(increase(tierwatch_amount_minor_total{outcome="hold"}[1h])) / 100',
                width=5,
            ),
            number(
                "Not simply passed",
                "Share of transactions that did not end in `pass`.",
                'sum(increase(tierwatch_decisions_total{outcome!="pass"}[1h])) / sum(increase(tierwatch_decisions_total[1h]))',
                "percentunit",
                width=5,
            ),
            number(
                "Let through by privilege",
                "Times that a rule would have fired at the base tier and did not.",
                "sum(increase(tierwatch_base_tier_signals_total[1h]))",
                width=5,
            ),
        ],
        "By rule": [
            lines(
                "Alerts by rule",
                "In five minutes; an alert counts for each rule that fired on it.",
                "short",
                {"{{rule}}": busy("rule", "sum by (rule) (increase(tierwatch_alerts_total[5m]))")},
            ),
            lines(
                "Rules that fired",
                "Live rules, in five minutes, alert or not: cooled signals stand on the decision too.",
                "short",
                {"{{rule}}": busy("rule", 'sum by (rule) (increase(tierwatch_signals_total{mode="live"}[5m]))')},
            ),
        ],
        "By typology and by tier": [
            lines(
                "Alerts by typology",
                "In five minutes: each pattern is one, all limits on amounts and counts together are another.",
                "short",
                {
                    "{{typology}}": busy(
                        "typology",
                        'sum by (typology) (label_replace(label_replace(increase(tierwatch_alerts_total[5m]), "typology", "$1", "rule", "(.*)"), "typology", "limits", "rule", "(amount|count)_(per_transaction|1h|24h|7d|30d|day|month)"))',
                    )
                },
            ),
            lines(
                "Alerts by tier",
                "In five minutes, by the tier in force; one for each rule that fired.",
                "short",
                {"{{tier}}": "sum by (tier) (increase(tierwatch_alerts_total[5m]))"},
            ),
            lines(
                "Transactions by tier",
                "The tier in force when the transaction arrived.",
                "reqps",
                {"{{tier}}": "sum by (tier) (rate(tierwatch_decisions_total[$__rate_interval]))"},
            ),
            lines(
                "Not simply passed, by tier",
                "Share of the last hour. Three times, or a third of, the last day raises TierwatchTierOffItsPast.",
                "percentunit",
                {"{{tier}}": "tier:tierwatch_decisions_caught:ratio_rate1h"},
            ),
            lines(
                "What the whitelist lets through",
                "Rules that would have fired at the base tier, in five minutes: what privilege is worth, and what it risks.",
                "short",
                {"{{rule}}": busy("rule", "sum by (rule) (increase(tierwatch_base_tier_signals_total[5m]))")},
            ),
            lines(
                "Base tier against granted tiers",
                "Signals in five minutes as judged, and as they would have been without any privilege.",
                "short",
                {
                    "as judged": 'sum(increase(tierwatch_signals_total{mode="live"}[5m]))',
                    "let through on top": "sum(increase(tierwatch_base_tier_signals_total[5m]))",
                },
            ),
        ],
        "What came of it": [
            lines(
                "Money by outcome",
                "In five minutes, units of the base currency, what simply passed left out.",
                "short",
                {"{{outcome}}": 'sum by (outcome) (increase(tierwatch_amount_minor_total{outcome!="pass"}[5m])) / 100'},
            ),
            lines(
                "Asked of the core system",
                "Account actions in five minutes.",
                "short",
                {"{{action}}: {{because}}": "sum by (action, because) (increase(tierwatch_account_actions_total[5m]))"},
            ),
            lines(
                "What people said",
                "Labels in the last hour: fraud, genuine, inconclusive; provisional or final.",
                "short",
                {"{{label}}, {{status}}": "sum by (label, status) (increase(tierwatch_dispositions_total[1h]))"},
            ),
            lines(
                "Limits nearly used, by tier",
                "Of customers who paid in five minutes, how many have used nine tenths of a limit or more.",
                "short",
                {
                    "{{tier}}": 'sum by (tier) (increase(tierwatch_limit_used_ratio_count[5m])) - sum by (tier) (increase(tierwatch_limit_used_ratio_bucket{le="0.9"}[5m]))'
                },
            ),
            lines(
                "What became of labels",
                "In the last hour, customers' own words included. Unknown: nobody asked about the payment, and its label does not say where it went.",
                "short",
                {"{{result}}": "sum by (result) (increase(tierwatch_labels_total[1h]))"},
            ),
            lines(
                "Where labels speak against",
                "Terminals, merchants, devices and payees with confirmed fraud in the last 30 days, as every worker knows them.",
                "short",
                {"{{kind}}": "max by (kind) (tierwatch_entities_at_risk)"},
            ),
            lines(
                "Reversals",
                "By what they gave back, in five minutes.",
                "short",
                {"{{result}}": "sum by (result) (increase(tierwatch_reversals_total[5m]))"},
            ),
            lines(
                "Late arrivals, p99",
                "From a transaction's own time to its arrival: what comes late was not watched meanwhile.",
                "s",
                {
                    "p99": "histogram_quantile(0.99, sum by (le) (rate(tierwatch_lateness_seconds_bucket[$__rate_interval])))",
                    "p50": "histogram_quantile(0.5, sum by (le) (rate(tierwatch_lateness_seconds_bucket[$__rate_interval])))",
                },
            ),
        ],
    },
)
