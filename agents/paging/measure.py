"""The pager's metrics, and whether it is well: what an orchestrator and Prometheus ask of it."""

import time
from collections.abc import Callable, Sequence
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

from agents.metrics import PAGER, Definition
from pipeline.policy.incidents import Incidents

# Either reader looks many times a second; after so long without a look it hangs, and only a restart helps.
HANGS_S = 60.0
READERS = ("keeper", "teller")


class PagerMetrics:
    """What `/metrics` of the pager says; `terms` are the policy's in force, once it is known."""

    def __init__(self, receivers: Sequence[str]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._by_name = {each.name: _made(each, self.registry) for each in PAGER}
        self.terms: Callable[[], Incidents] | None = None
        self._looked = dict.fromkeys(READERS, time.monotonic())
        self._unready = dict.fromkeys(READERS, "its part of the group")
        for receiver, outcome in product(receivers, ("taken", "failed", "refused")):
            self._by_name["notices"].labels(receiver, outcome)
        for reader in READERS:
            self._by_name["restarts"].labels(reader)
        for receiver in receivers:
            self.counted("receiver_up", (receiver,), 1)
            self._by_name["page_seconds"].labels(receiver)

    def counted(self, name: str, labels: Sequence[str], amount: float) -> None:
        """Count, set or observe, as the metric's kind has it."""
        metric = self._by_name[name].labels(*labels) if labels else self._by_name[name]
        match metric:
            case Counter():
                metric.inc(amount)
            case Gauge():
                metric.set(amount)
            case Histogram():
                metric.observe(amount)
            case _:
                raise TypeError(name)

    def looked(self, reader: str, *, ready: bool) -> None:
        """Note that a reader is at work."""
        self._looked[reader] = time.monotonic()
        self._unready[reader] = "" if ready else "its part of the group"

    def failed(self, reader: str) -> None:
        """Note that a reader begins anew."""
        self._looked[reader] = time.monotonic()
        self._unready[reader] = "Kafka, which does not answer or does not let it work"
        self.counted("restarts", (reader,), 1)

    @property
    def alive(self) -> bool:
        """Whether a restart would be pointless."""
        return all(time.monotonic() - looked < HANGS_S for looked in self._looked.values())

    @property
    def waits_for(self) -> str:
        """What keeps it from paging; empty when it is ready."""
        return next((f"{reader}: {what}" for reader, what in self._unready.items() if what), "")


def _made(each: Definition, registry: CollectorRegistry) -> MetricWrapperBase:
    name = f"tierwatch_pager_{each.name}"
    if each.kind == "histogram":
        return Histogram(name, each.meaning, each.labels, buckets=each.buckets, registry=registry)
    made: type[Counter | Gauge] = Counter if each.kind == "counter" else Gauge
    return made(name, each.meaning, each.labels, registry=registry)
