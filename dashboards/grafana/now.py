"""Now: is it judging, what does it find, what could it not judge, and what is alarming?"""

from dashboards.grafana.board import RUNBOOKS, board
from dashboards.grafana.panels import busy, lines, number, rows, words

BOARD = board(
    "now",
    "Now",
    "Is it judging, what does it find, what could it not judge, and what is alarming?",
    {
        "At a glance": [
            number(
                "Decisions",
                "Transactions judged each second.",
                "sum(rate(tierwatch_decisions_total[$__rate_interval]))",
                "reqps",
            ),
            number(
                "Waiting",
                "Records in Kafka that are not yet read. A few are always on their way.",
                "sum(tierwatch_lag_records)",
                colours=((None, "green"), (1000, "orange"), (10000, "red")),
            ),
            number(
                "Arrival to commit, p99",
                "One in a hundred commits is later than this after its oldest record arrived. Live topics only.",
                "histogram_quantile(0.99, sum by (le) (rate(tierwatch_end_to_end_seconds_bucket[$__rate_interval])))",
                "s",
                ((None, "green"), (1, "orange"), (5, "red")),
            ),
            number(
                "Alerts, last hour",
                "What the security team was given.",
                'sum(increase(tierwatch_published_total{topic="alerts"}[1h]))',
            ),
            number(
                "Dead letters, last hour",
                "Records that could not be judged. Nothing is lost: each is on the topic `dead-letters`.",
                "sum(increase(tierwatch_dead_letters_total[1h]))",
                colours=((None, "green"), (1, "orange")),
            ),
            number(
                "Workers",
                "Those that Prometheus reaches.",
                "count(tierwatch_build_info) or vector(0)",
                colours=((None, "red"), (1, "green")),
            ),
        ],
        "What alarms": [
            rows(
                "Firing alerts",
                "Watchdog always fires: it proves that alerting works. Each row leads to its runbook.",
                'ALERTS{alertstate="firing"}',
                {"alertname": "Alert", "severity": "Severity", "slo": "Objective"},
                ["alertstate", "job", "instance"],
                {"Runbook": f"{RUNBOOKS}/${{__data.fields.Alert}}.md"},
            ),
        ],
        "Who hears of it": [
            number(
                "Receivers",
                "Whether each of the pager's receivers takes cases. If not, whoever is paged through it hears nothing.",
                "min(tierwatch_pager_receiver_up)",
                colours=((None, "red"), (1, "green")),
                width=8,
                words={0: "one is dead", 1: "all listen"},
            ),
            number("Open cases", "Incidents that nobody has closed.", "sum(tierwatch_pager_cases_open)", width=8),
            number(
                "Overdue cases",
                "Due, and nobody has taken them up.",
                "sum(tierwatch_pager_cases_overdue)",
                colours=((None, "green"), (1, "orange")),
                width=8,
            ),
            lines(
                "Told",
                "Notices of cases in five minutes, by receiver and what it made of them: failed ones are tried again.",
                "short",
                {
                    "{{receiver}}: {{outcome}}": "sum by (receiver, outcome) (increase(tierwatch_pager_notices_total[5m]))"
                },
            ),
            lines(
                "Until a receiver has it, p99",
                "From the moment a case may be told, in the last hour.",
                "s",
                {
                    "{{receiver}}": "histogram_quantile(0.99, sum by (receiver, le) (increase(tierwatch_pager_page_seconds_bucket[1h])))"
                },
            ),
            lines(
                "Not yet told",
                "Notices that a receiver has still to take.",
                "short",
                {"{{receiver}}": "sum by (receiver) (tierwatch_pager_notices_waiting)"},
            ),
            lines(
                "Beginning anew",
                "Failures of the pager's readers of Kafka in ten minutes: one after a broker's restart is well.",
                "short",
                {"{{reader}}": "sum by (reader) (increase(tierwatch_pager_restarts_total[10m]))"},
                alarming=5,
            ),
            lines(
                "Overdue by queue",
                "Cases that nobody has taken up in the time that the policy gives.",
                "short",
                {"{{queue}}": "sum by (queue) (tierwatch_pager_cases_overdue)"},
            ),
        ],
        "What happens": [
            lines(
                "Decisions by outcome",
                "pass: nothing; challenge: ask for a step-up; review: an analyst looks; hold: the core system is asked to hold the account.",
                "reqps",
                {"{{outcome}}": "sum by (outcome) (rate(tierwatch_decisions_total[$__rate_interval]))"},
            ),
            lines(
                "Transactions by processor",
                "A line that ends is a processor that has fallen silent.",
                "reqps",
                {"{{source}}": "sum by (source) (rate(tierwatch_transactions_total[$__rate_interval]))"},
            ),
            lines(
                "Dead letters by reason",
                "In the last five minutes. docs/dead-letters.md says what each reason means, and who can mend it.",
                "short",
                {"{{reason}}": busy("reason", "sum by (reason) (increase(tierwatch_dead_letters_total[5m]))")},
            ),
            lines(
                "Waiting by topic",
                "In Kafka and not yet read. The priority lane stays low under a backlog of the other.",
                "short",
                {"{{topic}}": "sum by (topic) (tierwatch_lag_records)"},
            ),
        ],
        "In force": [
            words(
                "Policy",
                "Name and version; two for more than a moment mean that workers disagree.",
                "max by (policy, version) (tierwatch_policy_info)",
                "{{policy}} v{{version}}",
                12,
            ),
            words(
                "Version of tierwatch",
                "Two during a rolling upgrade.",
                "max by (version) (tierwatch_build_info)",
                "{{version}}",
                12,
            ),
        ],
    },
)
