"""Whether a worker lives and whether it judges: what an orchestrator asks before it restarts one or goes on."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.app import App

# The event loop looks once a second; after so long without a look it hangs, and only a restart helps.
HANGS_S = 60.0
# After so long without an answer a broker is away: it holds a fetch that finds nothing for a tenth of a second.
SILENT_S = 10.0


class Health:
    """Written by the event loop, read by the web server's threads."""

    def __init__(self) -> None:
        self._looked: float | None = None
        self._waits_for = "Kafka's first answer"

    @property
    def alive(self) -> bool:
        """Whether a restart would be pointless: a worker that waits for Kafka is alive."""
        return self._looked is None or time.monotonic() - self._looked < HANGS_S

    @property
    def waits_for(self) -> str:
        """What keeps it from judging; empty when it is ready."""
        return self._waits_for if self.alive else "its event loop, which hangs: see the log, and restart it"

    def look(self, app: "App") -> None:
        """See whether every partition that was assigned is at work, once a second."""
        self._looked = time.monotonic()
        at_work = {shard.number for shard in app.engine.shards.values() if not shard.dead}
        owned = app.consumer.owned()
        if app.consumer.silent_s() > SILENT_S:
            self._waits_for = "Kafka, which does not answer"
        elif owned is None or app.rebalancing:
            self._waits_for = "its part of the group"
        elif owned - at_work:
            self._waits_for = f"the state of {len(owned - at_work)} partitions, which is being restored"
        else:
            self._waits_for = ""
