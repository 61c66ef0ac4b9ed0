"""A broker that is away comes back: what is begun meanwhile waits for it, for a restart would wait just as long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from aiokafka.errors import KafkaError

from agents.log import Log
from agents.permissions import refusal

log = Log("broker")
T = TypeVar("T")

SHORTEST_S, LONGEST_S = 0.25, 2.0


class Client(Protocol):
    """An aiokafka client that connects when it is started."""

    async def start(self) -> None:
        """Connect. Raises `KafkaError`."""


async def patiently(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what `attempt` gives, and try again while Kafka fails.

    Raises:
        KafkaError: a permission is missing: trying again does not help.

    """
    pause = SHORTEST_S
    while True:
        try:
            return await attempt()
        except KafkaError as error:
            if refusal(error) is not None:
                raise
            log.warning("trying again", what=what, error=f"{type(error).__name__}: {error}", next_attempt_s=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_S)


async def connect(client: Client) -> None:
    """Start a client, however long the broker is away."""
    await patiently("connecting", client.start)
