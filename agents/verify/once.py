"""One alert made again from the log: its customer's partition, from the beginning until the alert comes out."""

import asyncio
from typing import NamedTuple

from agents import topics
from agents.broker import Broker
from agents.engine.journal import TOPIC as JOURNAL
from agents.settings import Settings
from agents.verify.report import Report
from agents.verify.rerun import GoneError, Rerun, Shelf
from agents.verify.streams import Streams
from agents.verify.units import units
from pipeline.learned.model import Model
from pipeline.partitioning import partition_of
from pipeline.policy.model import Policy
from schemas.decision import Alert
from schemas.timestamps import parse_ms
from schemas.topics import INPUT_TOPICS, SHARED_TOPICS

__all__ = ["GoneError", "Made", "make_again"]


class Made(NamedTuple):
    """The alert's bytes as the log makes them, None where it makes no such alert; the policy then, its model."""

    value: bytes | None
    policy: Policy
    model: Model | None


async def make_again(settings: Settings, first: Policy, alert: Alert) -> Made:
    """Run the journal of the customer's partition until this alert; `first` is the house's first policy.

    Raises:
        BrokerError: Kafka cannot be used, or topics are missing.
        GoneError: retention has taken what is needed.

    """
    layout = await asyncio.to_thread(lambda: topics.look(Broker(settings)))
    count = layout.partitions["transactions"]
    number = partition_of(alert.customer_id.encode(), count)
    inputs = [(topic, number) for topic in INPUT_TOPICS]
    places = [*((topic, 0) for topic in SHARED_TOPICS), *inputs, (JOURNAL, number)]
    async with Streams(settings.aiokafka(), places) as streams:
        said = {topic: await streams.of(topic, 0).take(streams.of(topic, 0).end) for topic in SHARED_TOPICS}
        shelf = Shelf(first, said)
        again = Rerun(number, count, shelf, {topic: streams.of(topic, number) for topic in INPUT_TOPICS})
        arrived_ms = parse_ms(alert.arrived_at)
        journal = streams.of(JOURNAL, number)
        value = None
        async for unit in units(journal, None, Report(count)):
            made = [each for each in await again.run(unit.made_of, unit.offset) if each.topic == "alerts"]
            value = next((each.value for each in made if dict(each.headers)["ce_id"] == alert.alert_id.encode()), None)
            if value is not None:
                break
        policy = shelf.books.policies.in_force(arrived_ms)
        return Made(value, policy, shelf.books.models.of(policy))
