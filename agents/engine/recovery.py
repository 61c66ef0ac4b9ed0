"""Stock recovery in another order: fence the former owner, learn where the log ends, read it in batches, begin.

Each override says which defect of faust-streaming 0.15.3 it answers.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, cast

from aiokafka import ConsumerRecord
from faust.tables.manager import TableManager as StockTableManager
from faust.tables.recovery import Recovery as StockRecovery
from faust.types import TP
from faust.types.transports import ConsumerT
from mode import Seconds, Service
from mode.services import WaitArgT

from agents.engine.engine import engine_of
from agents.engine.table import Table
from agents.log import Log
from agents.patience import patiently

log = Log("recovery")

PROGRESS_EVERY_S = 5.0


class Recovery(StockRecovery):
    """Brings tables to the end of their changelogs and partitions to life."""

    _rebalances = 0
    _reading = False
    _read = 0
    _held = 0
    _began = 0.0
    _said = 0.0

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Forget lost partitions, and those whose memory is ahead of what is committed."""
        self._reading = False
        changelogs = self.tables.changelog_topics
        engine_of(self.app).release({tp.partition for tp in assigned if tp.topic in changelogs})
        # Stock's old offsets survive by `setdefault` (:233), and a partition that comes back silently lacks state.
        self.active_offsets.clear()
        self.standby_offsets.clear()
        self._rebalances = cast("Any", self.app).rebalancing_count
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    async def _build_highwaters(self, consumer: ConsumerT, tps: set[TP], destination: Counter[TP], title: str) -> None:
        if title == "active":
            self.signal_recovery_end.clear()
            # The end of the log means something only after the former owner can no longer write behind it (#596).
            # Not in the assigned callback: aiokafka's heartbeats stand still there.
            await engine_of(self.app).fence({tp.partition for tp in tps})
        build = super()._build_highwaters
        await patiently("asking where changelogs end", lambda: build(consumer, tps, destination, title))

    async def _build_offsets(self, consumer: ConsumerT, tps: set[TP], destination: Counter[TP], title: str) -> None:
        build = super()._build_offsets
        await patiently("asking where changelogs begin", lambda: build(consumer, tps, destination, title))

    async def _wait(self, coro: WaitArgT, timeout: Seconds | None = None) -> None:
        # Stock takes a time-out for a stop and ends its task without a word: a worker that nothing recovers any more.
        # And a step that the next rebalance breaks off goes on beside its successor.
        step = asyncio.ensure_future(cast("Coroutine[Any, Any, None]", coro))
        try:
            await super()._wait(step)
        except asyncio.CancelledError:
            if step.cancelled() and not cast("asyncio.Task[Any]", asyncio.current_task()).cancelling():
                raise RuntimeError("a step of the recovery was cancelled, and nobody wanted that") from None
            raise
        finally:
            if not step.done():
                step.cancel()
                await asyncio.wait([step])

    @Service.task
    async def _slurp_changelogs(self) -> None:
        # Stock waits here for single records, and meanwhile declares recoveries ended by the offsets of the last one.
        # `on_fetched` gets them all.
        await self.wait_until_stopped()

    async def _seek_offsets(self, consumer: ConsumerT, tps: set[TP], offsets: Counter[TP], title: str) -> None:
        await super()._seek_offsets(consumer, tps, offsets, title)
        if title == "active":
            self._reading, self._read, self._held = True, 0, self._customers()
            self._began = self._said = time.monotonic()

    def on_fetched(self, restored: Mapping[TP, Sequence[ConsumerRecord]], positions: Mapping[TP, int]) -> None:
        """Apply what a fetch brought of the changelogs, and see whether their end is reached."""
        for tp, records in restored.items():
            if tp in self.active_tps or tp in self.standby_tps:
                table = cast("Table", self.tp_to_table[tp])
                self._read += table.data.rows(tp.partition).restore(records)
        for tp in self.standby_tps & positions.keys():
            self.standby_offsets[tp] = positions[tp] - 1
        if self._reading and self.in_recovery:
            self._see_whether_done(positions)
        if self.standby_tps and not self.in_recovery and not self.tables.standbys_ready:
            self._see_whether_standbys_are()

    def _see_whether_done(self, positions: Mapping[TP, int]) -> None:
        # Stock compares the last record's offset, and waits for ever when the log ends in a transaction's marker, or
        # was emptied or compacted (:935, #176, #597). The consumer's position counts them all.
        for tp in self.active_tps & positions.keys():
            self.active_offsets[tp] = positions[tp] - 1
        now = time.monotonic()
        if not self.need_recovery():
            self._reading = False
            self._set_recovery_ended()
            self.signal_recovery_end.set()
        else:
            remaining = self.active_remaining_total()
            engine_of(self.app).recovering(remaining)
            if now - self._said >= PROGRESS_EVERY_S:
                self._said = now
                log.info("recovering", records=self._read, remaining=remaining)

    def _see_whether_standbys_are(self) -> None:
        if self.standby_highwaters and not self.standby_remaining_total():
            self.tables.on_standbys_ready()

    @property
    def came(self) -> tuple[int, int]:
        """Something that changes whenever a rebalance begins or a recovery comes on."""
        return cast("Any", self.app).rebalancing_count, self._read

    def _customers(self) -> int:
        # Every customer stands in one table at least, and those who have a story in another as well.
        tables: Iterable[Table] = cast("Any", self.tables.values())
        return max(sum(rows.customers for rows in table.data.partitions.values()) for table in tables)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Bring the partitions to life, seek their inputs, and only then let these flow."""
        # Stock lets inputs flow before they are sought, drops what has come meanwhile from its queues, and lets them
        # flow again while the next rebalance waits until nothing does.
        app, consumer = cast("Any", self.app), self.app.consumer
        seconds = time.monotonic() - self._began
        partitions = sorted({tp.partition for tp in self.active_tps})
        customers = self._customers() - self._held
        log.info("recovered", partitions=partitions, customers=customers, records=self._read, seconds=seconds)
        engine_of(self.app).recovered(self._read, seconds)
        await app.on_rebalance_complete.send()
        self._set_recovery_ended()
        if self._overtaken(generation_id):
            return
        engine_of(self.app).begin({tp.partition for tp in self.active_tps})
        await consumer.perform_seek()
        if self._overtaken(generation_id):
            return
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_partitions({tp for tp in consumer.assignment() if not self._is_changelog_tp(tp)})
        consumer.resume_flow()
        self.tables.on_actives_ready()
        if not app.assignor.assigned_standbys():
            self.tables.on_standbys_ready()
        app.on_rebalance_end()
        await app._fetcher.maybe_start()

    def _overtaken(self, generation_id: int) -> bool:
        """Whether another rebalance has begun, which may still be waiting for the group, or has even assigned anew."""
        app = cast("Any", self.app)
        return bool(self._rebalances != app.rebalancing_count or generation_id != app.consumer_generation_id)


class TableManager(StockTableManager):
    """Faust's manager with our recovery."""

    _recovery: Recovery | None

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_stop(self) -> None:
        """Stop, then leave the producers: nothing is written after that."""
        await super().on_stop()
        await engine_of(self.app).close()

    async def on_start(self) -> None:
        """Start, without the second that stock waits for tables declared late: ours are declared before."""
        await self._update_channels()
        await self.recovery.start()
