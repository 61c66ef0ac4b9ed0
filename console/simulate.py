"""`tierwatch simulate`: the city of the demo, published to a real Kafka."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.errors import CommandError
from schemas.timestamps import MS_PER_DAY

if TYPE_CHECKING:
    from load_tests.city import Approvers, City, Event
    from pipeline.policy.model import Policy

_DAY_SECONDS = 86_400
_FOREVER_DAYS = 3_650


def command(
    *,
    rate: Annotated[float, typer.Option(min=0.01, max=10, help="Transactions a second, on a day's average.")] = 2.0,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so long. [default: Ctrl-C]")] = None,
    day: Annotated[
        int | None,
        typer.Option("--day", min=1, metavar="TRANSACTIONS", help="Instead: yesterday, as fast as Kafka takes it."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Which city: the same seed is the same city.")] = 1,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="The workers' policy. [default: TIERWATCH_POLICY]")
    ] = None,
    write_policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Only write a policy that trusts this city's approvers: for the workers."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Publish a simulated city to Kafka: customers of five tiers, their payments, and fraudsters with known tricks.

    It lives in real time from now on; with --day it is yesterday's city, for topics made with
    `tierwatch topics create --history`: start the workers when it is there, or one may judge an application before the
    payments it rests on have arrived. Grants are signed with the seed's throwaway keys, which only the policy of
    --write-policy trusts: never use that one for anything but simulations.
    """
    from msgspec.json import encode

    from agents.broker import Broker
    from agents.publisher import Publisher
    from agents.topics import TopicsError, look
    from console.environment import settings
    from console.policies import read_policy
    from load_tests.city import Approvers, City

    environment = settings()
    path = policy or environment.policy
    terms = read_policy(path)
    approvers = Approvers(terms, seed)
    if write_policy is not None:
        _write_policy(path, write_policy, approvers)
        return
    _warn_of_refusals(terms, approvers)
    if look(Broker(environment)).live and day is not None:
        raise TopicsError(
            f"the topics at {environment.broker} stamp records with the broker's time (LogAppendTime), so a whole day "
            "would happen at once. Make them with `tierwatch topics create --history` on an empty Kafka, "
            "or leave out --day."
        )
    start_ms = _now_ms() - (MS_PER_DAY if day else 0)
    city = City(terms, approvers, seed=seed, start_ms=start_ms, transactions=day or round(rate * _DAY_SECONDS))
    publisher = Publisher(environment.librdkafka())
    published: Counter[str] = Counter()
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        deadline = None if seconds is None else begun + seconds
        for event in events(city, start_ms, deadline, yesterday=day is not None):
            if event is None:
                publisher.flush()
                continue
            publisher.publish(event.topic, event.key, event.value, event.at_ms)
            published[event.topic] += 1
    except KeyboardInterrupt:
        pass
    publisher.flush()
    took = round(time.monotonic() - begun, 1)
    if json:
        typer.echo(encode({"published": published, "seconds": took}))
    else:
        typer.echo(f"published in {took} s: " + ", ".join(f"{count:,} {topic}" for topic, count in published.items()))


def events(city: "City", start_ms: int, deadline: float | None, *, yesterday: bool) -> "Iterator[Event | None]":
    """Yield the city's events, each when its time has come; None before a pause."""
    yield from city.rates()
    if yesterday:
        yield from city.past()
    yield from city.opening()
    for event in city.days(start_ms + MS_PER_DAY * (1 if yesterday else _FOREVER_DAYS)):
        while (ahead_s := (event.at_ms - _now_ms()) / 1000) > 0:
            left_s = ahead_s if deadline is None else min(ahead_s, deadline - time.monotonic())
            if left_s < ahead_s and left_s <= 0:
                return
            yield None
            time.sleep(left_s)
        yield event


def _write_policy(source: Path, target: Path, approvers: "Approvers") -> None:
    from console.policies import read_yaml
    from load_tests.city import trusting_policy

    try:
        target.write_bytes(trusting_policy(read_yaml(source), approvers))
    except ValueError as error:
        raise CommandError(f"{source} cannot be used", f"{error}.") from error
    except OSError as error:
        hint = "Check the folder and that you may write there."
        raise CommandError(f"cannot write {target}: {(error.strerror or str(error)).lower()}", hint) from error


def _warn_of_refusals(policy: "Policy", approvers: "Approvers") -> None:
    from console.terminal import warn

    if not approvers.trusted_by(policy):
        warn(
            "this policy does not know the city's approvers, so workers will refuse all grants and everybody stays at "
            "the base tier; start them with what `tierwatch simulate --write-policy FILE` writes"
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
