"""From the moment a payment was due to the moment a reader of committed records has its alert, at a steady rate."""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from load_tests.peers import environments
from load_tests.peers.contest import ours, streams
from load_tests.services.wait import until
from load_tests.stand.alerts import Reader, quantile
from load_tests.stand.open_loop import INTRODUCED_WITH_ALARM
from load_tests.stand.program import Program
from load_tests.stand.stand import Stand, stand

# Commit intervals that Kafka Streams is tried with beside its default of 100 ms; the best one counts.
_INTERVALS_MS = (10, 30)
# So long after the start nothing is measured: compilers warm up, caches fill.
_WARM_S = 10.0
_SETTLE_S = 3.0
_INTRODUCTION_S = 300.0


def latency(rate: float, seconds: float, *, peers: bool) -> dict[str, Any]:
    """Return the quantiles of a worker with the whole default policy, and of engines on the same, reduced work.

    `reduced` is our engine, beside `kafka_streams`.

    Raises:
        UnavailableError: something that is needed cannot be had; the text says what to do.

    """
    with stand() as at:
        # Thrown away: a broker needs a minute until it is compiled, and whoever came first would pay for that.
        _measured(at, at.worker, r"worker ready partitions", "whole", rate, seconds)
        measured = _measured(at, at.worker, r"worker ready partitions", "whole", rate, seconds)
        if not peers:
            return measured
        reduced = _measured(
            at, partial(ours, environments.compiled_rules(), at), "(?m)^ready", "reduced", rate, seconds
        )
        jars = environments.streams_jars()
        default = _measured(at, partial(streams, jars, "rocksdb", at), "(?m)^ready", "reduced", rate, seconds)
        tried = {
            interval: _measured(
                at,
                partial(streams, jars, "rocksdb", at, f"-Dp.commit.interval.ms={interval}"),
                "(?m)^ready",
                "reduced",
                rate,
                seconds,
            )
            for interval in _INTERVALS_MS
        }
        best = min(tried, key=lambda interval: float(tried[interval]["p99_ms"]))
        return {
            **measured,
            "reduced": reduced,
            "kafka_streams": default,
            "kafka_streams_best": {"commit_interval_ms": best, **tried[best]},
        }


def _measured(
    at: Stand, start: Callable[[], Program], ready: str, kind: str, rate: float, seconds: float
) -> dict[str, Any]:
    at.make_topics(history=False)
    with start() as program:
        program.said(ready)
        introduce(at, kind)
        with Reader(at.address, "alerts") as reader:
            begun_us = time.time_ns() // 1_000
            cpu = program.cpu_seconds()
            with open_loop(at, kind, rate, _WARM_S + seconds) as load:
                load.process.wait()
            end_us = time.time_ns() // 1_000
            time.sleep(_SETTLE_S)
            cpu = program.cpu_seconds() - cpu
        latencies = reader.latencies_ms(begun_us + int(_WARM_S * 1e6), end_us)
        program.stop()
    return {
        "alerts": len(latencies),
        "p50_ms": quantile(latencies, 0.5),
        "p99_ms": quantile(latencies, 0.99),
        "p999_ms": quantile(latencies, 0.999),
        "cpu_us_per_tx": round(cpu / (rate * (_WARM_S + seconds)) * 1e6, 1),
    }


def introduce(at: Stand, kind: str) -> None:
    """Have all customers pay once, and wait until that is judged: in a running system hardly anybody is new."""
    command = [sys.executable, "-m", "load_tests.stand.open_loop", at.address, kind]
    with Reader(at.address, "alerts") as alerts:
        with at.program("introduction", command) as load:
            until(lambda: not load.alive, "the first payments to be published", seconds=_INTRODUCTION_S)
        judged = "the first payments to be judged"
        until(lambda: alerts.count >= INTRODUCED_WITH_ALARM, judged, seconds=_INTRODUCTION_S)


def open_loop(at: Stand, kind: str, rate: float, seconds: float, topic: str = "transactions") -> Program:
    """Start a loader that publishes at a rate, whatever happens."""
    command = [sys.executable, "-m", "load_tests.stand.open_loop", at.address, kind, str(rate), str(seconds), topic]
    return at.program("loader", command)
