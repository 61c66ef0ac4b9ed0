"""`python -m tests.kafka.restless worker`: a worker that is assigned anew while it still is at the time before."""

import asyncio
from collections.abc import Iterable
from random import Random

from agents.compiled import prefer

prefer()

from mode import Service  # noqa: E402 - the compiled pipeline must be preferred before anything imports it
from mode.types import ServiceT  # noqa: E402

from agents.app import App, Boot  # noqa: E402
from agents.engine.shard import Commit  # noqa: E402
from agents.log import Log  # noqa: E402
from console.main import main  # noqa: E402

log = Log("restless")

ROUNDS = 8
# Fencing and reading take some tenths of a second: these waits end before, in and after each step of a recovery.
LONGEST_WAITS_S = (0.001, 0.2, 0.6, 1.2)


class Restless(Service):
    """Gives partitions up, or asks for others, two to four times in a round: at once, and amid a recovery."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app
        self._committed = asyncio.Event()
        app.engine.on_committed.append(self._hear)

    def _hear(self, commit: Commit) -> None:
        if commit.work.records:
            self._committed.set()

    @Service.task
    async def _disturb(self) -> None:
        chance = Random(1)
        for _ in range(ROUNDS):
            self._committed.clear()
            await self._committed.wait()
            for _ in range(chance.randint(2, 4)):
                living = [shard for shard in self._app.engine.shards.values() if not shard.dead]
                if living and chance.random() < 0.8:
                    chance.choice(living).fail(RuntimeError("planted"))
                else:
                    self._app.engine.rejoin()
                await asyncio.sleep(chance.random() * chance.choice(LONGEST_WAITS_S))
        log.info("at rest")


def server(self: Boot) -> Iterable[ServiceT]:
    """A worker's services, and one that disturbs them."""
    return [*_server(self), Restless(self.app)]


_server = Boot.server

if __name__ == "__main__":
    setattr(Boot, "server", server)  # noqa: B010 - to the type checker it is no method of this class
    main()
