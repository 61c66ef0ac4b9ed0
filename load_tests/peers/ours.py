"""The reduced rules on our engine: a real worker, in which another pipeline stands at the seam."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import reduced  # type: ignore[import-not-found] # the compiled copy, found by PYTHONPATH

from agents import log, topics
from agents.app import App
from agents.broker import reach
from agents.engine.pipeline import Pipeline
from agents.engine.rows import Rows
from agents.garbage import collect_seldom
from agents.measure import Metrics
from agents.settings import Settings
from pipeline.customer import Changes
from pipeline.partition import Standing
from pipeline.policy.load import default_yaml, load_policy
from pipeline.record import Message, Record
from pipeline.tally import Tally
from schemas.entitlement import Usage


class Reduced(Pipeline):
    """The reduced rules: no reviews, no clock, no model, and nothing that was seen before."""

    def __init__(self, rows: Rows) -> None:
        self.tally = Tally()
        self.customers: dict[bytes, reduced.Customer] = {}
        self.ticked = False
        self._rows = rows
        self._changed: dict[bytes, reduced.Customer] = {}

    @property
    def repeated(self) -> list[tuple[str, int]]:
        """None: everything is judged."""
        return []

    def take(self, records: Sequence[Record], clock_ms: int | None = None) -> list[Message]:  # noqa: ARG002
        """Judge a batch."""
        customers, changed, messages = self.customers, self._changed, []
        for record in records:
            key = record.key or b""
            customer = customers.get(key)
            if customer is None:
                customer = customers[key] = reduced.decode(self._rows.get(key))
            alert = reduced.judge(record.value, customer)
            changed[key] = customer
            if alert is not None:
                messages.append(Message("alerts", key, alert))
        return messages

    def changes(self) -> Changes:
        """Return the changed states."""
        windows = {key: reduced.encode(customer) for key, customer in self._changed.items()}
        self._changed.clear()
        return Changes(windows, {})

    def restore(self, dossiers: Iterable[tuple[bytes, bytes]]) -> None:
        """There are none."""

    def standing(self) -> Standing:
        """Tell of the customers only."""
        return Standing(len(self.customers), 0, None)

    def drift(self) -> dict[str, float]:
        """There is no model."""
        return {}

    def usage(self, key: bytes) -> Usage:
        """Nobody asks: there is no read model beside peers."""
        raise NotImplementedError

    def share_used(self, usage: Usage) -> tuple[str, float]:
        """Nobody asks."""
        raise NotImplementedError


class ReducedApp(App):
    """Our application with the other pipeline."""

    def _new_pipeline(self, number: int, rows: Mapping[str, Rows]) -> Reduced:  # noqa: ARG002
        return Reduced(rows["windows"])


async def _work() -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    settings = Settings.from_environment()
    broker = await reach(settings)
    layout = await asyncio.to_thread(topics.look, broker)
    app = ReducedApp(settings, load_policy(default_yaml()), layout, Metrics())
    app.in_worker = True
    await app.start()
    print("ready", flush=True)
    ends: set[asyncio.Future[Any]] = {app.failed, asyncio.create_task(told.wait())}
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if app.failed.done():
        log.Log("peer").error("failed", cause=app.failed.result())
        os._exit(1)  # threads of Faust's would be waited for, and whoever measures waits for us
    # Whoever is ended without leaving the group is waited for until its session ends, and by the next test.
    await app.stop()


if __name__ == "__main__":
    os.environ.setdefault("TIERWATCH_BROKER", os.environ["BROKER"])
    log.set_up("INFO")
    collect_seldom()
    sys.exit(asyncio.run(_work()))
