"""All questions, in the order in which one answer explains the next."""

from collections.abc import Iterator
from dataclasses import replace

from agents.broker import Broker
from agents.doctor import group, outside, records
from agents.doctor.certificates import certificates
from agents.doctor.finding import Finding, ill, warning, well
from agents.doctor.pager import pager
from agents.settings import Settings
from agents.topics import CHANGELOGS, TopicsError, compare, look
from pipeline.policy.model import Policy
from schemas.topics import TOPICS


def examine(settings: Settings, first: Policy) -> Iterator[Finding]:
    """Ask everything; `first` is the house's first policy.

    Raises:
        BrokerError: Kafka does not answer or lets nobody in, so nothing else can be asked.

    """
    yield from outside.program()
    broker = Broker(settings)
    metadata = broker.metadata()
    yield well("broker", f"{len(metadata.brokers)} of them at {settings.broker}, cluster {metadata.cluster_id}")
    yield from certificates(settings)
    yield from outside.redis(settings)
    try:
        layout = look(broker)
    except TopicsError as error:
        yield ill("topics", str(error), "tierwatch topics create")
        return
    if layout.embedded:
        yield warning("topics", "this is the embedded broker: memory only", "For work, start a real Kafka.")
        return
    partitions = layout.partitions["transactions"]
    yield from _topics(replace(settings, partitions=partitions), history=not layout.live)
    yield from group.workers(broker.admin)
    yield from group.lag(broker.admin, partitions)
    yield from pager(settings, broker.admin, layout.partitions)
    yield from records.processors(settings, broker.admin, partitions)
    yield from records.journal(settings, broker.admin, partitions, first)
    everything = (*TOPICS, *CHANGELOGS.values())
    yield from records.transactions(settings, broker.admin, {name: layout.partitions[name] for name in everything})


def _topics(settings: Settings, *, history: bool) -> Iterator[Finding]:
    different = [outcome for outcome in compare(settings, history=history) if outcome.differences]
    for outcome in different:
        for each in outcome.differences:
            says = f"{outcome.topic}: {each.setting} is {each.found or 'unset'}, should be {each.wanted}"
            yield warning("topics", says, each.command or "Nothing changes that: keep the number, or make it anew.")
    if not different:
        yield well(
            "topics", f"all there, {settings.partitions} partitions by customer, {'history' if history else 'live'}"
        )
