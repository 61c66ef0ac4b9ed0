"""A house's whole log run again, partition by partition, for somebody who looks on."""

from agents.settings import Settings
from agents.verify.again import opened, partitions
from pipeline.learned.onlooker import Onlooker
from pipeline.policy.model import Policy


async def show(settings: Settings, first: Policy, onlooker: Onlooker) -> None:
    """Run the journal of every partition to its end; `first` is the house's first policy.

    Raises:
        BrokerError: Kafka cannot be used, or topics are missing.
        GoneError: retention has taken what is needed.

    """
    count = await partitions(settings)
    for number in range(count):
        async with opened(settings, first, number, count) as again:
            again.rerun.show(onlooker)
            async for unit in again.units:
                await again.rerun.run(unit.made_of, unit.offset)
