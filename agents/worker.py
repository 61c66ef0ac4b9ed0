"""One worker process, from the first attempt to reach Kafka to its exit code."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from agents import log as logs
from agents import topics, waits, web
from agents.app import App
from agents.broker import BrokerError, reach
from agents.compiled import how_to, is_compiled
from agents.engine.engine import BrokenError
from agents.exit_codes import Exit
from agents.first_policy import OtherPolicyError
from agents.garbage import collect_seldom
from agents.health import Health
from agents.log import Log
from agents.measure import Metrics
from agents.permissions import refusal
from agents.settings import Settings
from pipeline.policy.load import PolicyError, load_policy
from pipeline.policy.model import Policy
from pipeline.policy.problems import Problem

log = Log("worker")
T = TypeVar("T")

# After this a stop is no longer waited for: what was in flight, the next owner's fence aborts.
STOPPING_S = 20.0
# After this the process ends whatever it still does.
LEAVING_S = 25.0


def run_worker(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT, or until nothing can be done; return the exit code (see `agents.exit_codes`)."""
    logs.set_up(settings.log_level, settings.log_format)
    for variable in Settings.unknown():
        log.warning("not a setting, and like none", variable=variable, how="docs/operate.md lists them all")
    try:
        policy = _first_policy(settings)
        collect_seldom()
        return asyncio.run(_work_until_told(settings, policy))
    except (BrokerError, PolicyError) as error:
        return _told(error, settings)


def _told(error: BrokerError | PolicyError, settings: Settings) -> int:
    """Say what is to be done, and return the exit code."""
    if isinstance(error, BrokerError):
        log.error(str(error))
        return error.exit_code
    for problem in error.problems:
        log.error("policy refused", at=f"{settings.policy}:{problem.line}:{problem.column}", problem=problem.message)
    return Exit.BAD_INPUT


def _first_policy(settings: Settings) -> Policy:
    policy = load_policy(settings.policy.read_bytes())
    if (policy.warm_until_ms or 0) > time.time() * 1000:
        # Nothing that comes until then would ask for anything.
        raise PolicyError([Problem(1, 1, "warm_until", "is ahead of this machine's clock: only history is quiet")])
    return policy


async def _work_until_told(settings: Settings, policy: Policy) -> int:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    _tell_pipeline()
    metrics = Metrics()
    metrics.in_force(policy)
    health = Health()
    port = web.serve(settings.metrics_host, settings.metrics_port, metrics.registry, health)
    log.info("metrics served", port=port, path="/metrics")

    broker = await _unless(told, reach(settings))
    if broker is None:
        return Exit.NO_BROKER
    layout = await asyncio.to_thread(topics.look, broker)
    metrics.live = layout.live
    log.info("broker reached", broker=settings.broker, **_what_it_is(layout))

    app = App(settings, policy, layout, metrics, health)
    waits.tell_on_signal(app.loops())
    return await _run(app, told)


def _tell_pipeline() -> None:
    if is_compiled():
        log.info("the pipeline is compiled")
    else:
        log.info("the pipeline is pure Python: compiled, it is three times as fast", how=how_to())


def _what_it_is(layout: topics.Layout) -> dict[str, object]:
    partitions = layout.partitions["transactions"]
    if layout.embedded:
        guarantee = "none across a failure: memory only, one worker, unfenced, aborted records are seen"
        return {"embedded": True, "guarantee": guarantee, "partitions": partitions}
    arrival = "broker's time" if layout.live else "records' own time"
    return {"arrival": arrival, "guarantee": "exactly once, for readers of committed data", "partitions": partitions}


def _leave(app: App, running: "asyncio.Task[None]") -> None:
    log.error("a thread does not end: leaving it; whoever takes over goes on from the last commit")
    reason = _reason(app, running)
    os._exit(Exit.FAILED if reason is None else _verdict(reason))


async def _run(app: App, told: asyncio.Event) -> int:
    app.in_worker = True
    running = asyncio.create_task(_start_and_wait(app))
    leaving = threading.Timer(LEAVING_S, _leave, (app, running))
    leaving.daemon = True
    ends: set[asyncio.Future[Any]] = {running, app.failed}
    try:
        await _unless(told, asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED))
        if told.is_set():
            log.info("stopping")
        # Faust's threads, and tasks that will not be cancelled, may outlive everything that is waited for here.
        leaving.start()
        running.cancel()
        await asyncio.wait_for(app.stop(), STOPPING_S)
    except TimeoutError:
        log.warning("not everything in flight could be committed; whoever takes over goes on from the last commit")
    return _verdict(_reason(app, running))


def _reason(app: App, running: "asyncio.Task[None]") -> BaseException | None:
    """Return what ended the application, None: nothing but a wish."""
    if app.failed.done():
        return app.failed.result()
    raised = None if running.cancelled() or not running.done() else running.exception()
    return app.crash_reason or raised


async def _start_and_wait(app: App) -> None:
    await app.start()
    if not app.should_stop:
        log.info("ready", partitions=sorted(app.engine.shards))
    await app.wait_until_stopped()


def _verdict(reason: BaseException | None) -> int:
    match refusal(reason) or reason:
        case None:
            log.info("stopped")
            return Exit.OK
        case (OtherPolicyError() | BrokerError()) as told:
            log.error(str(told))
            return told.exit_code
        case BrokenError() as broken:
            log.error(str(broken), cause=broken.__cause__)
            return Exit.FAILED
        case _:
            log.error("the worker ends because of a bug of ours: report it with this log", cause=reason)
            return Exit.FAILED


async def _unless(told: asyncio.Event, doing: Awaitable[T]) -> T | None:
    """Do something until it is done, or until we are told to stop: then None."""
    task, stop = asyncio.ensure_future(doing), asyncio.ensure_future(told.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        stop.cancel()
