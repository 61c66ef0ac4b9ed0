"""A broker that is away comes back: what is begun meanwhile waits for it, for a restart would wait just as long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from aiokafka.errors import KafkaError

from agents.log import Log
from agents.permissions import refusal

log = Log("broker")
T = TypeVar("T")

AGAIN_S = 0.5


class Client(Protocol):
    """An aiokafka client that connects when it is started."""

    async def start(self) -> None:
        """Connect. Raises `KafkaError`."""


async def patiently(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what `attempt` gives, and try again while Kafka fails.

    Raises:
        KafkaError: a permission is missing: trying again does not help.

    """
    while True:
        try:
            return await attempt()
        except KafkaError as error:
            if refusal(error) is not None:
                raise
            log.warning("trying again", what=what, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(AGAIN_S)


async def connect(client: Client) -> None:
    """Start a client, however long the broker is away."""
    await patiently("connecting", client.start)
