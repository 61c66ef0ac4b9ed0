"""One alert made again from the log: its customer's partition, from the beginning until the alert comes out."""

from typing import NamedTuple

from agents.settings import Settings
from agents.verify.again import opened, partitions
from agents.verify.rerun import GoneError
from pipeline.learned.model import Model
from pipeline.partitioning import partition_of
from pipeline.policy.model import Policy
from schemas.decision import Alert
from schemas.timestamps import parse_ms

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
    count = await partitions(settings)
    async with opened(settings, first, partition_of(alert.customer_id.encode(), count), count) as again:
        value = None
        async for unit in again.units:
            made = [each for each in await again.rerun.run(unit.made_of, unit.offset) if each.topic == "alerts"]
            value = next((each.value for each in made if dict(each.headers)["ce_id"] == alert.alert_id.encode()), None)
            if value is not None:
                break
        policy = again.shelf.books.policies.in_force(parse_ms(alert.arrived_at))
        return Made(value, policy, again.shelf.books.models.of(policy))
