"""Three times more than a worker can do: does the priority lane stay fast, and does the other keep a share?"""

import signal
import time
from typing import Any

from load_tests.latency import introduce, open_loop
from load_tests.services.wait import until
from load_tests.stand.alerts import Reader, quantile
from load_tests.stand.stand import SESSION_S, Stand, stand

_OVERLOAD = 3
# Of what a worker can do: the lane alone, unloaded.
_LANE_SHARE = 0.1
_WARM_S = 5.0
_BACKLOG = 20_000
_BACKLOG_S = 5.0
_LONGEST_S = 300.0
_LANE = "transactions-priority"
_ON_LANE = b'"lane":"priority"'
_ON_OTHER = b'"lane":"standard"'


def priority(seconds: float) -> dict[str, Any]:
    """Return the lane's quantiles alone and under overload, and the share of the work that the other lane kept."""
    with stand() as at:
        capacity = _capacity(at)
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


def _capacity(at: Stand) -> float:
    """Return what the worker decides in a second, of a backlog that nobody adds to meanwhile."""
    at.make_topics(history=False)
    with at.worker("capacity", session_timeout=str(SESSION_S)) as worker:
        worker.said(r"worker ready partitions")
        introduce(at, "whole")
        worker.send(signal.SIGSTOP)
        with open_loop(at, "whole", _BACKLOG / _BACKLOG_S, _BACKLOG_S) as load:
            load.process.wait()
        with Reader(at.address, "decisions") as reader:
            worker.send(signal.SIGCONT)
            began = time.monotonic()
            until(lambda: reader.count >= _BACKLOG, "the backlog to be decided", seconds=_LONGEST_S)
            return reader.count / (time.monotonic() - began)


def _run(at: Stand, lane_rate: float, other_rate: float, seconds: float) -> dict[str, float]:
    at.make_topics(history=False)
    with at.worker(f"worker-{other_rate:.0f}") as worker:
        worker.said(r"worker ready partitions")
        introduce(at, "whole")
        with (
            Reader(at.address, "decisions", only=_ON_LANE) as lane,
            Reader(at.address, "decisions", only=_ON_OTHER) as other,
        ):
            begun_us = time.time_ns() // 1_000
            with open_loop(at, "whole", max(1.0, other_rate), _WARM_S + seconds):
                with open_loop(at, "whole", lane_rate, _WARM_S + seconds, _LANE) as load:
                    load.process.wait()
                end_us = time.time_ns() // 1_000
                done = (lane.count, other.count)
            time.sleep(1)
            latencies = lane.latencies_ms(begun_us + int(_WARM_S * 1e6), end_us)
    return {"p99_ms": quantile(latencies, 0.99), "other_lane_share": round(done[1] / max(1, sum(done)), 3)}
