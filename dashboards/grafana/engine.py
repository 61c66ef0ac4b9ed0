"""Engine: do workers keep up, and if not, whose fault is it?"""

from dashboards.grafana.board import board
from dashboards.grafana.panels import lines, number

_QUANTILES = {"p50": 0.5, "p99": 0.99}


def _seconds(metric: str) -> dict[str, str]:
    return {
        legend: f"histogram_quantile({quantile}, sum by (le) (rate({metric}_bucket[$__rate_interval])))"
        for legend, quantile in _QUANTILES.items()
    }


BOARD = board(
    "engine",
    "Engine",
    "Do workers keep up, where does the time go, and does what is around them answer?",
    {
        "Around": [
            number(
                "Kafka",
                "Whether it has answered all workers within ten seconds.",
                "min(tierwatch_broker_up)",
                colours=((None, "red"), (1, "green")),
                words={0: "away", 1: "answers"},
            ),
            number(
                "Redis",
                "Whether the read model can be written. Detection goes on without.",
                "min(tierwatch_redis_up)",
                colours=((None, "orange"), (1, "green")),
                words={0: "away", 1: "answers"},
            ),
            number(
                "Partitions unowned",
                "Their customers are watched by nobody.",
                "max(tierwatch_partitions) - sum(tierwatch_partitions_owned)",
                colours=((None, "green"), (1, "red")),
            ),
            number(
                "To restore",
                "Changelog records to read before work begins.",
                "sum(tierwatch_recovery_remaining_records)",
                colours=((None, "green"), (1, "orange")),
            ),
            number(
                "Ticks refused, last hour",
                "A clock that is more than a minute off the broker's.",
                "sum(increase(tierwatch_ticks_refused_total[1h]))",
                colours=((None, "green"), (1, "orange")),
            ),
            number(
                "Expired unread, last hour",
                "Records that Kafka deleted before they were read.",
                "sum(increase(tierwatch_inputs_expired_total[1h]))",
                colours=((None, "green"), (1, "red")),
            ),
        ],
        "Load": [
            lines(
                "Records taken",
                "By topic, each second.",
                "reqps",
                {"{{topic}}": "sum by (topic) (rate(tierwatch_records_total[$__rate_interval]))"},
            ),
            lines(
                "Waiting by partition",
                "One line far above the others is a hot partition.",
                "short",
                {"{{partition}}": "sum by (partition) (tierwatch_lag_records)"},
            ),
            lines(
                "Partitions by worker",
                "They share them evenly; a hole is a restore or a worker that is gone.",
                "short",
                {"{{instance}}": "sum by (instance) (tierwatch_partitions_owned)"},
            ),
            lines(
                "Processor time",
                "Cores that each worker keeps busy; one is all that judging can use.",
                "short",
                {
                    "{{instance}}": "sum by (instance) (rate(process_cpu_seconds_total[$__rate_interval])) and on (instance) tierwatch_build_info"
                },
            ),
        ],
        "Where the time goes": [
            lines("Judging a batch", "Ours.", "s", _seconds("tierwatch_assess_seconds"), 8),
            lines("Committing", "Kafka's.", "s", _seconds("tierwatch_commit_seconds"), 8),
            lines(
                "Arrival to commit",
                "Both, and the wait before. Live topics only.",
                "s",
                _seconds("tierwatch_end_to_end_seconds"),
                8,
            ),
            lines(
                "Commits",
                "A failed one is a partition given up and recovered.",
                "reqps",
                {"{{result}}": "sum by (result) (rate(tierwatch_commits_total[$__rate_interval]))"},
            ),
            lines(
                "Restores",
                "How long partitions took to come to life, mean since workers began.",
                "s",
                {"mean": "sum(tierwatch_recovery_seconds_sum) / sum(tierwatch_recovery_seconds_count)"},
            ),
        ],
        "Memory": [
            lines(
                "Resident memory",
                "Of each worker.",
                "bytes",
                {
                    "{{instance}}": "sum by (instance) (process_resident_memory_bytes) and on (instance) tierwatch_build_info"
                },
                8,
            ),
            lines(
                "State",
                "Bytes of state in partitions owned, by table.",
                "bytes",
                {"{{table}}": "sum by (table) (tierwatch_state_bytes)"},
                8,
            ),
            lines(
                "Customers",
                "With a state, and kept decoded.",
                "short",
                {
                    "{{table}}": "sum by (table) (tierwatch_state_customers)",
                    "decoded": "sum(tierwatch_customers_cached)",
                },
                8,
            ),
        ],
    },
)
