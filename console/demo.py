"""`tierwatch demo`: the whole house in one command, with nothing but Python packages. `make run`."""

import json
import signal
import time
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from schemas.timestamps import MS_PER_DAY, format_ms

if TYPE_CHECKING:
    from console.screen import Screen
    from console.stage import Stage
    from load_tests.city import Event

_TRANSACTIONS = 50_000
# So many a second can be watched, and the first day is over in a few minutes.
_WATCHABLE_PER_SECOND = 300
_SHOW_EVERY = 100
_GO_ON_DAYS = 365


def command(
    once: Annotated[
        bool, typer.Option("--once", help="Play one day as fast as it is decided, sum up, and end.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Which city: the same seed is the same city.")] = 1,
    transactions: Annotated[int, typer.Option(min=1, help="How many transactions a day, at least.")] = _TRANSACTIONS,
    lose_one: Annotated[bool, typer.Option("--lose-one", hidden=True)] = False,
) -> None:
    """Watch tierwatch work: embedded broker, a worker and a simulated city, on this machine, in memory.

    Shows alerts as they happen, and behind each what only the simulator knows. The city's yesterday is played quickly;
    then it lives on in real time until Ctrl-C. With --once, the last line is one JSON object for scripts.
    """
    from console.screen import Screen
    from console.stage import stage
    from console.worker_process import WorkerDiedError
    from load_tests.city.score import Score
    from load_tests.play import StalledError

    # However we are ended, the worker is ended with us; a shell's background job ignores Ctrl-C unless told otherwise.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    score = Score()
    screen = Screen(score)
    screen.begin()
    try:
        with stage(seed, transactions, score, _nothing if once else screen.alert) as on:
            screen.say(_greeting(on))
            if once:
                _one_day(on, screen, lose_one=lose_one)
            else:
                _go_on(on, screen)
    except (WorkerDiedError, StalledError) as error:
        raise CommandError(
            "the demo could not go on", "Report it with the lines above.", Exit.FAILED, details=str(error).splitlines()
        ) from error
    finally:
        screen.end()


def _nothing(_: object) -> None:
    """Alerts of a whole day at once are a table, not a show."""


def _greeting(on: "Stage") -> str:
    return (
        f"A city of {len(on.city.residents):,} customers; an embedded broker, in memory; one worker.\n"
        f"Metrics: {on.metrics_url}\n"
    )


def _one_day(on: "Stage", screen: "Screen", *, lose_one: bool) -> None:
    """Play the first day, sum up, and leave with the exit code of the books."""
    from load_tests.play import StalledError

    begun = time.monotonic()
    problems: list[str] = []
    last = None
    try:
        for number, event in enumerate(chain(_opened(on), on.city.days(on.end_ms))):
            on.play.publish(event)
            last = event if event.transaction_id else last
            if number % _SHOW_EVERY == 0:
                screen.standing(on.ledger, f"{format_ms(event.at_ms)[:16]}Z")
        on.play.settle()
    except StalledError as stalled:
        problems.append(str(stalled))
    seconds = time.monotonic() - begun
    on.worker.stop()
    if lose_one and last:
        # The worker has ended, so nobody decides this one: the books must say so.
        value = last.value.replace(last.transaction_id.encode(), b"lost")
        on.publisher.publish(last.topic, last.key, value, last.at_ms)
        on.publisher.flush()
    on.watcher.drain()
    screen.end()
    screen.summary(on.ledger, [tier.name for tier in on.city.policy.tiers])
    problems += [*on.play.problems(), *on.ledger.problems()]
    print(json.dumps(on.ledger.summary(seconds)), flush=True)
    if problems:
        raise CommandError(
            "the books do not balance",
            "That is a fault of tierwatch: report it with the lines above.",
            Exit.MISMATCH,
            details=problems,
        )


def _go_on(on: "Stage", screen: "Screen") -> None:
    """Play yesterday at a speed that can be watched, then go on with the clock, until Ctrl-C."""
    try:
        for event in _paced(on, screen):
            on.play.publish(event)
    except KeyboardInterrupt:
        screen.end()
        screen.summary(on.ledger, [tier.name for tier in on.city.policy.tiers])


def _opened(on: "Stage") -> "Iterator[Event]":
    """What is known before the first day; whoever asks for more waits until it is: grants come before payments."""
    yield from on.city.opening()
    on.play.settle()


def _paced(on: "Stage", screen: "Screen") -> "Iterator[Event]":
    yield from _opened(on)
    next_at = time.monotonic()
    caught_up = False
    for event in on.city.days(on.end_ms + _GO_ON_DAYS * MS_PER_DAY):
        # A slow machine does not have to make up for more than a second.
        next_at = max(next_at + 1 / _WATCHABLE_PER_SECOND, time.monotonic() - 1)
        if not caught_up and event.at_ms > _now_ms():
            caught_up = True
            screen.say("The city has caught up with the clock: from here on it lives in real time.", "bold")
        while event.at_ms > _now_ms() or time.monotonic() < next_at:
            on.play.wait(0.05)
            screen.standing(on.ledger, f"{format_ms(event.at_ms)[:16]}Z")
        yield event


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
