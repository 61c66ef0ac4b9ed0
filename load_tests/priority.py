"""Three times more than a worker can do: does the priority lane stay fast, and does the other keep a share?"""

import time
from typing import Any

from load_tests.latency import open_loop
from load_tests.stand.alerts import Reader, quantile
from load_tests.stand.stand import Stand, stand

_OVERLOAD = 3
# Of what a worker can do: the lane alone, unloaded.
_LANE_SHARE = 0.1
_WARM_S = 5.0
_LANE = "transactions-priority"
_ON_LANE = b'"lane":"priority"'
_ON_OTHER = b'"lane":"standard"'


def priority(seconds: float) -> dict[str, Any]:
    """Return the lane's quantiles alone and under overload, and the share of the work that the other lane kept."""
    with stand() as at:
        capacity = _capacity(at, seconds)
        lane_rate = capacity * _LANE_SHARE
        alone = _run(at, lane_rate, 0.0, seconds)
        loaded = _run(at, lane_rate, capacity * _OVERLOAD, seconds)
    return {
        "capacity_per_s": round(capacity),
        "unloaded_p99_ms": alone["p99_ms"],
        "overloaded_p99_ms": loaded["p99_ms"],
        "p99_ratio": round(loaded["p99_ms"] / alone["p99_ms"], 2),
        "other_lane_share": loaded["other_lane_share"],
    }


def _capacity(at: Stand, seconds: float) -> float:
    """Return what the worker decides in a second when there is more than enough."""
    at.make_topics(history=False)
    with at.worker("capacity") as worker, Reader(at.address, "decisions") as reader:
        worker.said(r"worker ready partitions")
        with open_loop(at, "whole", 60_000, _WARM_S + seconds):
            time.sleep(_WARM_S)
            before = reader.count
            time.sleep(seconds)
            return (reader.count - before) / seconds


def _run(at: Stand, lane_rate: float, other_rate: float, seconds: float) -> dict[str, float]:
    at.make_topics(history=False)
    with (
        at.worker(f"worker-{other_rate:.0f}") as worker,
        Reader(at.address, "decisions", only=_ON_LANE) as lane,
        Reader(at.address, "decisions", only=_ON_OTHER) as other,
    ):
        worker.said(r"worker ready partitions")
        begun_us = time.time_ns() // 1_000
        with open_loop(at, "whole", max(1.0, other_rate), _WARM_S + seconds):
            with open_loop(at, "whole", lane_rate, _WARM_S + seconds, _LANE) as load:
                load.process.wait()
            end_us = time.time_ns() // 1_000
            done = (lane.count, other.count)
        time.sleep(1)
        latencies = lane.latencies_ms(begun_us + int(_WARM_S * 1e6), end_us)
    return {"p99_ms": quantile(latencies, 0.99), "other_lane_share": round(done[1] / max(1, sum(done)), 3)}
