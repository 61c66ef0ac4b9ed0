"""The register of all metrics: each name with its meaning above it. docs/metrics.md is made from it.

Counted per batch, never per transaction. No customer, merchant or transaction is ever a label. Label values that are
known beforehand stand at zero from the first scrape, so that a rate never begins with a gap.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.tally import LATENESS_BOUNDS_MS

Kind = Literal["counter", "gauge", "histogram"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class Definition:
    """One metric. `name` lacks the prefix `tierwatch_` and a counter's `_total`; `buckets` are a histogram's only."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name as Prometheus shows it."""
        return f"tierwatch_{self.name}" + ("_total" if self.kind == "counter" else "")


REGISTER: tuple[Definition, ...] = (
    # What became of the inputs: together these account for every record.
    Definition("decisions", "counter", "Transactions judged.", ("outcome", "tier")),
    Definition(
        "amount_minor",
        "counter",
        "Money of transactions judged, minor units of the base currency; declined ones and reversals move none.",
        ("outcome", "tier"),
    ),
    Definition(
        "transactions",
        "counter",
        "Transactions judged, by the processor that sent them; `others` where there are more than a hundred, and where "
        "the name is not 64 letters, digits and `._:/-` at most, with seven digits at most, as cards and people have.",
        ("source",),
    ),
    Definition("duplicates", "counter", "Transactions told again with the same content.", ("lane",)),
    Definition("dead_letters", "counter", "Records that could not be decided.", ("reason",)),
    Definition("events", "counter", "Customer events; `reason` only on refused ones.", ("result", "reason")),
    Definition("dispositions", "counter", "Labels received.", ("label", "status")),
    Definition(
        "labels", "counter", "Labels, customers' own words among them, and what became of each.", ("label", "result")
    ),
    Definition("entity_labels", "counter", "Labels that began to count, by what they are about.", ("kind", "label")),
    Definition("entities_at_risk", "gauge", "What labels speak against, as this worker knows it.", ("kind",)),
    # What was found.
    Definition("signals", "counter", "Rules that fired.", ("rule", "mode")),
    Definition("base_tier_signals", "counter", "Rules that would have fired without the tier's privilege.", ("rule",)),
    Definition("reversals", "counter", "Reversals by what they gave back.", ("result",)),
    Definition("announced", "counter", "Messages of the review clock: requests, reminders, demotions.", ("topic",)),
    Definition(
        "published", "counter", "Messages committed; those to `alerts` are what the security team gets.", ("topic",)
    ),
    Definition("alerts", "counter", "Alerts committed, by each rule that fired on them.", ("rule", "tier")),
    Definition(
        "account_actions",
        "counter",
        "What the core system was asked to do, and why.",
        ("action", "because"),
    ),
    Definition(
        "limit_used_ratio",
        "histogram",
        "Of the limit that a customer who paid of late has used most, how much; where there is a read model.",
        ("tier",),
        (0.25, 0.5, 0.75, 0.9, 1.0),
    ),
    Definition("re_reviews", "counter", "Reviews, reminders and calls asked for.", ("kind", "why")),
    # The whitelist's life.
    Definition("tier_changes", "counter", "Customers who came to another tier.", ("from", "to")),
    Definition(
        "audited", "counter", "Entries of the audit: what was asked or done, and its result.", ("what", "result")
    ),
    # What does not look right.
    Definition("wrong_lane", "counter", "Transactions on the other lane than the customer's tier has.", ("tier",)),
    Definition("unknown_fields", "counter", "Fields nobody knows, tolerated.", ("topic",)),
    Definition("card_like_ids", "counter", "Ids that pass for card numbers; a tenth of all long numeric ones do."),
    # Time.
    Definition(
        "lateness_seconds",
        "histogram",
        "From a transaction's own time to its arrival.",
        buckets=tuple(bound / 1000 for bound in LATENESS_BOUNDS_MS),
    ),
    Definition("assess_seconds", "histogram", "Judging one fetched batch.", buckets=_SECONDS),
    Definition(
        "end_to_end_seconds",
        "histogram",
        "From the arrival of the oldest record of a transaction to its commit; live topics only.",
        buckets=_SECONDS,
    ),
    Definition(
        "commit_seconds", "histogram", "One Kafka transaction, from its first message to its end.", buckets=_SECONDS
    ),
    # The engine.
    Definition("records", "counter", "Input records taken.", ("topic",)),
    Definition("commits", "counter", "Kafka transactions, by whether they were committed.", ("result",)),
    Definition("state_records_written", "counter", "Changed state records committed."),
    Definition("recoveries", "counter", "Times that partitions were brought to life from their changelogs."),
    Definition(
        "recovery_seconds", "histogram", "From an assignment's end of log to its last record.", buckets=_SECONDS
    ),
    Definition("recovery_records", "counter", "Changelog records read for it."),
    Definition("recovery_remaining_records", "gauge", "Changelog records still to be read before work begins."),
    Definition("lag_records", "gauge", "Records not yet read.", ("topic", "partition")),
    Definition("partitions", "gauge", "Partitions that the house has: what workers own together when all is well."),
    Definition("partitions_owned", "gauge", "Partitions that this worker is at work on."),
    Definition("state_customers", "gauge", "Customers with a state, in partitions owned.", ("table",)),
    Definition("state_bytes", "gauge", "Bytes of state in partitions owned, keys left out.", ("table",)),
    Definition("state_records_held", "gauge", "State records in memory, copies of other workers' partitions included."),
    Definition("customers_cached", "gauge", "Customers held decoded."),
    Definition("ticks_refused", "counter", "Ticks of this machine's clock that were too far from the broker's time."),
    Definition("inputs_expired", "counter", "Input records that Kafka deleted before they were read.", ("topic",)),
    # The review clock.
    Definition("reviews_scheduled", "gauge", "Customers of whom the review clock has something ahead."),
    Definition("reviews_overdue_seconds", "gauge", "Age of the oldest announcement that is due and not made."),
    # What is in force, and what is around.
    Definition("policy_info", "gauge", "1 for the policy in force.", ("policy", "version", "hash")),
    Definition("model_info", "gauge", "1 for the model that is asked.", ("model", "mode")),
    Definition("model_missing", "gauge", "1 while the policy in force names a model whose file is not here."),
    Definition(
        "drift",
        "gauge",
        "How far payments have moved from what the model learned from (population stability index): 0.25 is much.",
        ("feature",),
    ),
    Definition("break_glass_active", "gauge", "Broken glasses: rules in shadow or actions withheld, for some hours."),
    Definition("break_glass_unreviewed", "gauge", "Broken glasses that are over and that nobody has reviewed."),
    Definition("build_info", "gauge", "1 for this worker's version.", ("version",)),
    Definition("broker_up", "gauge", "Whether Kafka has answered within the last ten seconds."),
    Definition("redis_up", "gauge", "Whether the read model can be written; 1 also without one."),
)

# Of `tierwatch pager`; their names begin with `tierwatch_pager_`.
PAGER: tuple[Definition, ...] = (
    Definition("case_events", "counter", "Alerts, and what else happens to cases, taken.", ("topic",)),
    Definition("cases_open", "gauge", "Open cases, in partitions owned."),
    Definition("cases_overdue", "gauge", "Open cases that nobody has and that are due, by queue.", ("queue",)),
    Definition("notices", "counter", "Cases and summaries handed to a receiver.", ("receiver", "outcome")),
    Definition("notices_waiting", "gauge", "Those that a receiver has still to take.", ("receiver",)),
    Definition("receiver_up", "gauge", "0 when a receiver has taken nothing for half a minute.", ("receiver",)),
    Definition(
        "page_seconds",
        "histogram",
        "From the moment a case may be told to the moment its receiver has it.",
        ("receiver",),
        buckets=_SECONDS,
    ),
    Definition("restarts", "counter", "Times that a reader of Kafka began anew after a failure.", ("reader",)),
)

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
_HEAD = """# Metrics

Made from `agents/metrics.py` by `python -m agents.metrics`; do not edit.

Every worker serves these at `/metrics` (`TIERWATCH_METRICS_HOST`, `TIERWATCH_METRICS_PORT`). Outcomes are counted when
they are committed: what is aborted and done again counts once. No customer, merchant or transaction is ever a label.
Beside them stand Python's own `process_…` (memory, processor time, open files).

| metric | type | labels | meaning |
|---|---|---|---|
"""
_PAGER_HEAD = """
## The pager's

`tierwatch pager` serves these on the same port of its own machine.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page() -> str:
    """Return docs/metrics.md."""
    workers = "".join(_row(each, each.full_name) for each in REGISTER)
    pagers = "".join(_row(each, each.full_name.replace("_", "_pager_", 1)) for each in PAGER)
    return f"{_HEAD}{workers}{_PAGER_HEAD}{pagers}"


def _row(each: Definition, name: str) -> str:
    labels = ", ".join(f"`{label}`" for label in each.labels)
    return f"| `{name}` | {each.kind} | {labels} | {each.meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
