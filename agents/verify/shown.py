"""A house's whole log run again, partition by partition, for somebody who looks on."""

import asyncio

from agents import topics
from agents.broker import Broker
from agents.engine.journal import TOPIC as JOURNAL
from agents.settings import Settings
from agents.verify.report import Report
from agents.verify.rerun import Rerun, Shelf
from agents.verify.streams import Streams
from agents.verify.units import units
from pipeline.learned.onlooker import Onlooker
from pipeline.policy.model import Policy
from schemas.topics import INPUT_TOPICS, SHARED_TOPICS


async def show(settings: Settings, first: Policy, onlooker: Onlooker) -> None:
    """Run the journal of every partition to its end; `first` is the house's first policy.

    Raises:
        BrokerError: Kafka cannot be used, or topics are missing.
        GoneError: retention has taken what is needed.

    """
    layout = await asyncio.to_thread(lambda: topics.look(Broker(settings)))
    count = layout.partitions["transactions"]
    for number in range(count):
        inputs = [(topic, number) for topic in INPUT_TOPICS]
        places = [*((topic, 0) for topic in SHARED_TOPICS), *inputs, (JOURNAL, number)]
        async with Streams(settings.aiokafka(), places) as streams:
            said = {topic: await streams.of(topic, 0).take(streams.of(topic, 0).end) for topic in SHARED_TOPICS}
            taken = {topic: streams.of(topic, number) for topic in INPUT_TOPICS}
            again = Rerun(number, count, Shelf(first, said), taken)
            again.show(onlooker)
            async for unit in units(streams.of(JOURNAL, number), None, Report(count)):
                await again.run(unit.made_of, unit.offset)
