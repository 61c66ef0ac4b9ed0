"""The metrics of one worker: the register brought to life, fed by the engine batch by batch, served as `/metrics`."""

import time
from collections.abc import Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from agents.engine.journal import ENGINE_VERSION
from agents.engine.shard import Commit, Shard
from agents.health import SILENT_S
from agents.metrics import REGISTER, Definition
from agents.sources import OTHER_SOURCES, shown
from agents.told import told
from pipeline.labels.desk import RESULTS
from pipeline.partition import Standing
from pipeline.policy.model import Policy
from pipeline.tally import LATENESS_BOUNDS_MS, Tally
from schemas.decision import OUTCOMES, GivenBack, Lane, Mode
from schemas.disposition import Label, Status
from schemas.entity_risk import ENTITY_KINDS
from schemas.policy_event import SignedPolicyEvent
from schemas.reasons import DeadLetterReason, RefusalReason
from schemas.topics import INPUT_TOPICS, TOPICS

if TYPE_CHECKING:
    from agents.app import App

# Processors told apart: a source that invents names makes no more series than this, and the rest count together.
MOST_SOURCES = 100

_POLICY_EVENTS = tuple(str(kind.__struct_config__.tag) for kind in get_args(SignedPolicyEvent))

# A series for each series, to say when it began: Prometheus does not need them, and they double what it stores.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """What `/metrics` says. `live`: arrivals are the broker's time, so the way to the commit can be measured."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.live = True
        self._lateness = Lateness(next(each for each in REGISTER if each.name == "lateness_seconds"))
        self.registry.register(self._lateness)
        ProcessCollector(registry=self.registry)  # memory, processor time and open files, under their usual names
        self._by_name: dict[str, MetricWrapperBase] = {
            each.name: self._make(each) for each in REGISTER if each.name != "lateness_seconds"
        }
        self._policy: Policy | None = None
        self._sources: set[str] = set()
        self.gauge("build_info", ENGINE_VERSION).set(1)
        self.gauge("redis_up").set(1)
        self._stand_at_zero(
            {
                "duplicates": product(get_args(Lane)),
                "dead_letters": product(DeadLetterReason),
                "events": [("applied", ""), ("duplicate", ""), *product(("refused",), RefusalReason)],
                "published": product(name for name, topic in TOPICS.items() if topic.written_by == "workers"),
                "records": product(INPUT_TOPICS),
                "unknown_fields": product(INPUT_TOPICS),
                "inputs_expired": product(INPUT_TOPICS),
                "dispositions": product(get_args(Label), get_args(Status)),
                "reversals": product(get_args(GivenBack)),
                "audited": product(_POLICY_EVENTS, ("applied",)),
                "labels": product(get_args(Label), RESULTS),
                "entity_labels": product(ENTITY_KINDS, ("fraud", "genuine")),
                "commits": product(("committed", "failed")),
            }
        )

    def _make(self, each: Definition) -> MetricWrapperBase:
        name = f"tierwatch_{each.name}"
        if each.kind == "histogram":
            return Histogram(name, each.meaning, each.labels, buckets=each.buckets, registry=self.registry)
        made: type[Counter | Gauge] = Counter if each.kind == "counter" else Gauge
        return made(name, each.meaning, each.labels, registry=self.registry)

    def _stand_at_zero(self, values: dict[str, Iterable[tuple[str, ...]]]) -> None:
        for name, labels in values.items():
            for each in labels:
                self._by_name[name].labels(*each)

    def counter(self, name: str, *labels: str) -> Counter:
        """Return a counter of the register."""
        return self._child(name, labels)  # type: ignore[return-value]

    def gauge(self, name: str, *labels: str) -> Gauge:
        """Return a gauge of the register."""
        return self._child(name, labels)  # type: ignore[return-value]

    def histogram(self, name: str, *labels: str) -> Histogram:
        """Return a histogram of the register."""
        return self._child(name, labels)  # type: ignore[return-value]

    def _child(self, name: str, labels: tuple[str, ...]) -> MetricWrapperBase:
        metric = self._by_name[name]
        return metric.labels(*labels) if labels else metric

    # What the engine tells: see agents.engine.engine.Watch

    def taken(self, seconds: float) -> None:
        """Count a batch that was judged."""
        self.histogram("assess_seconds").observe(seconds)

    def committed(self, commit: Commit) -> None:
        """Count a transaction, and what was in it: what is aborted is done again, and counted then."""
        self.counter("commits", "committed").inc()
        self.histogram("commit_seconds").observe(commit.seconds)
        self.counter("state_records_written").inc(commit.states)
        for topic, count in commit.work.by_topic.items():
            self.counter("records", topic).inc(count)
        for (name, *labels), count in told(commit.work.messages).items():
            self.counter(name, *labels).inc(count)
        if self.live and commit.work.oldest_ms is not None:
            self.histogram("end_to_end_seconds").observe(max(0.0, time.time() - commit.work.oldest_ms / 1000))
        self._count(commit.tally)

    def _count(self, tally: Tally) -> None:
        for (name, *labels), count in tally.counts.items():
            told = [self._source(*labels)] if name == "transactions" else labels
            self.counter(name, *told).inc(count)
        self._lateness.add(tally)

    def _source(self, source: str) -> str:
        if source in self._sources:
            return source
        if len(self._sources) >= MOST_SOURCES or shown(source) != source:
            return OTHER_SOURCES
        self._sources.add(source)
        return source

    def failed(self) -> None:
        """Count a transaction that was not committed."""
        self.counter("commits", "failed").inc()

    def tick_refused(self) -> None:
        """Count a tick too far from the broker's time."""
        self.counter("ticks_refused").inc()

    def limits_used(self, tier: str, share: float) -> None:
        """Count a customer who paid, by how much of a limit is used."""
        self.histogram("limit_used_ratio", tier).observe(share)

    def expired(self, topic: str, records: int) -> None:
        """Count input records that were gone before they were read."""
        self.counter("inputs_expired", topic).inc(records)

    def recovering(self, remaining: int) -> None:
        """Say how much of a recovery is left."""
        self.gauge("recovery_remaining_records").set(remaining)

    def recovered(self, records: int, seconds: float) -> None:
        """Count a recovery."""
        self.gauge("recovery_remaining_records").set(0)
        self.counter("recoveries").inc()
        self.counter("recovery_records").inc(records)
        self.histogram("recovery_seconds").observe(seconds)

    # What is looked at once a second

    def look(self, app: "App") -> None:
        """Measure what changes by itself."""
        shards = [shard for shard in app.engine.shards.values() if not shard.dead]
        standing = [shard.pipeline.standing() for shard in shards]
        self.gauge("broker_up").set(app.consumer.silent_s() < SILENT_S)
        self.gauge("partitions").set(app.layout.partitions["transactions"])
        self.gauge("partitions_owned").set(len(shards))
        self.gauge("customers_cached").set(sum(each.customers for each in standing))
        for table in app.tables.values():
            owned = [table.data.rows(shard.number) for shard in shards]
            self.gauge("state_customers", table.name).set(sum(rows.customers for rows in owned))
            self.gauge("state_bytes", table.name).set(sum(rows.size_bytes for rows in owned))
        self.gauge("state_records_held").set(sum(len(table.data) for table in app.tables.values()))
        lag = self._by_name["lag_records"]
        lag.clear()  # partitions lost are somebody else's to tell
        for (topic, partition), records in app.consumer.lag().items():
            if topic in INPUT_TOPICS:
                self.gauge("lag_records", topic, str(partition)).set(records)
        now_ms = int(time.time() * 1000)
        self._look_at_reviews(shards, standing, now_ms)
        for kind, count in app.shared.books.risks.counts().items():
            self.gauge("entities_at_risk", kind).set(count)
        book = app.shared.books.policies
        self.in_force(book.in_force(now_ms))
        self._look_at_model(app, shards, book.in_force(now_ms))
        self.gauge("break_glass_active").set(sum(glass.lasts(now_ms) for glass in book.glasses.all))
        self.gauge("break_glass_unreviewed").set(sum(glass.waits(now_ms) for glass in book.glasses.all))

    def _look_at_model(self, app: "App", shards: list[Shard], policy: Policy) -> None:
        model, learned = app.shared.books.models.of(policy), policy.learned
        asked = learned is not None and learned.mode != "off"
        self.gauge("model_missing").set(asked and model is None)
        for name in ("model_info", "drift"):
            self._by_name[name].clear()
        if model is not None and learned is not None:
            self.gauge("model_info", model.card.sha256, learned.mode).set(1)
            drifts = [shard.pipeline.drift() for shard in shards]
            for feature in {feature for each in drifts for feature in each}:
                self.gauge("drift", feature).set(max(each.get(feature, 0.0) for each in drifts))

    def _look_at_reviews(self, shards: list[Shard], standing: list[Standing], now_ms: int) -> None:
        due = [each.next_review_ms for each in standing if each.next_review_ms is not None]
        clock_ms = now_ms if self.live else max((shard.positions.clock_ms for shard in shards), default=0)
        self.gauge("reviews_scheduled").set(sum(each.reviews for each in standing))
        self.gauge("reviews_overdue_seconds").set(max(0, clock_ms - min(due, default=clock_ms)) / 1000)

    def in_force(self, policy: Policy) -> None:
        """Say which policy is in force, and let its tiers and rules stand at zero."""
        if policy is self._policy:
            return
        self._policy = policy
        self._by_name["policy_info"].clear()
        self.gauge("policy_info", policy.name, str(policy.version), policy.digest).set(1)
        tiers = [tier.name for tier in policy.tiers]
        modes = [mode for mode in get_args(Mode) if mode != "off"]
        self._stand_at_zero(
            {
                "decisions": product(OUTCOMES, tiers),
                "amount_minor": product(OUTCOMES, tiers),
                "wrong_lane": product(tiers),
                "limit_used_ratio": product(tiers),
                "signals": product(policy.rules, modes),
                "base_tier_signals": product(policy.rules),
                "alerts": product(policy.rules, tiers),
            }
        )


class Lateness(Collector):
    """A histogram that is handed whole tallies: the client library counts one observation at a time."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._counts = [0] * (len(LATENESS_BOUNDS_MS) + 1)
        self._sum_ms = 0

    def add(self, tally: Tally) -> None:
        """Add what a batch counted."""
        self._counts = [have + more for have, more in zip(self._counts, tally.lateness, strict=True)]
        self._sum_ms += tally.lateness_sum_ms

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Return the histogram as Prometheus wants it: each bucket counts all that are no greater."""
        bounds = [*(f"{bound:g}" for bound in self._definition.buckets), "+Inf"]
        counts, so_far = self._counts, 0
        buckets = [(bound, so_far := so_far + count) for bound, count in zip(bounds, counts, strict=True)]
        yield HistogramMetricFamily(
            self._definition.full_name, self._definition.meaning, buckets=buckets, sum_value=self._sum_ms / 1000
        )
