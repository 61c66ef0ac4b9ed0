"""Whitelist health: who comes, who goes, and is anybody overdue?"""

from dashboards.grafana.board import board
from dashboards.grafana.panels import busy, lines, number

BOARD = board(
    "whitelist",
    "Whitelist health",
    "Who is admitted, reviewed, demoted, refused, and does the review clock keep up?",
    {
        "Now": [
            number(
                "Customers with a file",
                "Customers of whom the whitelist knows something.",
                'sum(tierwatch_state_customers{table="dossiers"})',
                width=6,
            ),
            number(
                "Ahead",
                "Customers of whom the review clock has something ahead.",
                "sum(tierwatch_reviews_scheduled)",
                width=6,
            ),
            number(
                "Overdue",
                "Age of the oldest announcement that is due and not made.",
                "max(tierwatch_reviews_overdue_seconds)",
                "s",
                ((None, "green"), (60, "orange"), (600, "red")),
                width=6,
            ),
            number(
                "Refused, last day",
                "Events that were well formed and not allowed: the audit says why.",
                'sum(increase(tierwatch_events_total{result="refused"}[1d]))',
                width=6,
            ),
        ],
        "Life": [
            lines(
                "Tier moves",
                "Customers who came to another tier, in the last hour.",
                "short",
                {"{{from}} to {{to}}": "sum by (from, to) (increase(tierwatch_tier_changes_total[1h]))"},
            ),
            lines(
                "What was done",
                "Entries of the audit by what was asked for or done, in the last hour: admissions, call-backs, reviews, demotions.",
                "short",
                {
                    "{{done}}": busy(
                        "done",
                        'sum by (done) (label_join(increase(tierwatch_audited_total{what!~"policy[.].*"}[1h]), "done", ": ", "what", "result"))',
                    )
                },
            ),
            lines(
                "Reviews asked for",
                "Requests, reminders and calls in the last hour, and why.",
                "short",
                {"{{kind}}: {{why}}": "sum by (kind, why) (increase(tierwatch_re_reviews_total[1h]))"},
            ),
            lines(
                "Refused events",
                "By reason, in the last hour.",
                "short",
                {
                    "{{reason}}": busy(
                        "reason", 'sum by (reason) (increase(tierwatch_events_total{result="refused"}[1h]))'
                    )
                },
            ),
        ],
        "Reach": [
            lines(
                "Spending by tier",
                "In an hour, units of the base currency: a tier that falls asleep or wakes up.",
                "short",
                {"{{tier}}": "sum by (tier) (increase(tierwatch_amount_minor_total[1h])) / 100"},
            ),
            lines(
                "Spending by tier against the day before",
                "The last hour against the mean hour of the last day; higher while a house is in its first.",
                "short",
                {
                    "{{tier}}": "sum by (tier) (increase(tierwatch_amount_minor_total[1h])) / (sum by (tier) (increase(tierwatch_amount_minor_total[1d])) / 24 > 0)"
                },
            ),
            lines(
                "Announced by the clock",
                "Messages of the review clock in the last hour.",
                "short",
                {
                    "{{topic}}": 'sum by (topic) (increase(tierwatch_published_total{topic=~"re-reviews|notifications|entitlements"}[1h]))'
                },
            ),
            lines(
                "Wrong lane",
                "Transactions on the other lane than the customer's tier has, in five minutes: a processor that does not read entitlements.",
                "short",
                {"{{tier}}": "sum by (tier) (increase(tierwatch_wrong_lane_total[5m]))"},
            ),
            lines(
                "Overdue by worker",
                "Should stay below a minute; above ten, TierwatchReviewsStalled.",
                "s",
                {"{{instance}}": "max by (instance) (tierwatch_reviews_overdue_seconds)"},
                24,
                alarming=600,
            ),
        ],
    },
)
