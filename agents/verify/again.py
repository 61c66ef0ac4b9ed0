"""One partition's log opened to be run again: its journal, its inputs, and what the shared topics said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import ConsumerRecord

from agents import topics
from agents.broker import Broker
from agents.engine.journal import TOPIC as JOURNAL
from agents.settings import Settings
from agents.verify.report import Report
from agents.verify.rerun import Rerun, Shelf
from agents.verify.streams import Streams
from agents.verify.units import Unit, units
from pipeline.policy.model import Policy
from schemas.topics import INPUT_TOPICS, SHARED_TOPICS

Place = tuple[str, int]


class Again(NamedTuple):
    """What runs the units, the shared knowledge that it runs them with, and the units themselves, in their order."""

    rerun: Rerun
    shelf: Shelf
    units: AsyncIterator[Unit]


async def partitions(settings: Settings) -> int:
    """How many partitions of customers there are.

    Raises:
        BrokerError: Kafka cannot be used, or topics are missing.

    """
    layout = await asyncio.to_thread(lambda: topics.look(Broker(settings)))
    return layout.partitions["transactions"]


def places_of(number: int) -> list[Place]:
    """Everything that a partition's units are made of."""
    return [*((topic, 0) for topic in SHARED_TOPICS), *((topic, number) for topic in INPUT_TOPICS), (JOURNAL, number)]


async def shared_of(streams: Streams) -> dict[str, list[ConsumerRecord]]:
    """All that the shared topics say."""
    return {topic: await streams.of(topic, 0).take(streams.of(topic, 0).end) for topic in SHARED_TOPICS}


def rerun_of(streams: Streams, shelf: Shelf, number: int, count: int) -> Rerun:
    """Partition `number` of `count` at its beginning."""
    return Rerun(number, count, shelf, {topic: streams.of(topic, number) for topic in INPUT_TOPICS})


@asynccontextmanager
async def opened(settings: Settings, first: Policy, number: int, count: int) -> AsyncIterator[Again]:
    """The whole log of a partition, from its beginning; `first` is the house's first policy.

    Raises:
        KafkaError: Kafka cannot be used.

    """
    async with Streams(settings.aiokafka(), places_of(number)) as streams:
        shelf = Shelf(first, await shared_of(streams))
        made_of = units(streams.of(JOURNAL, number), None, Report(count))
        yield Again(rerun_of(streams, shelf, number, count), shelf, made_of)
