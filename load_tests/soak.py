"""A steady load for long: does a worker's memory grow, and does the way to the commit stay as short?"""

import time
from typing import Any

from load_tests.latency import introduce, open_loop
from load_tests.stand.alerts import Reader, quantile
from load_tests.stand.stand import stand

_LOOK_S = 5.0
# Of the run, before which nothing counts: caches and buffers fill.
_WARM = 0.3


def soak(rate: float, minutes: float) -> dict[str, Any]:
    """Return the growth of the resident memory a minute after warm-up, percent, by the line that fits best."""
    with stand() as at:
        at.make_topics(history=False)
        with at.worker() as worker, Reader(at.address, "alerts") as reader:
            worker.said(r"worker ready partitions")
            introduce(at, "whole")
            began = time.monotonic()
            begun_us = time.time_ns() // 1_000
            looks: list[tuple[float, int]] = []
            with open_loop(at, "whole", rate, minutes * 60) as load:
                while load.alive:
                    time.sleep(_LOOK_S)
                    worker.check()
                    looks.append(((time.monotonic() - began) / 60, worker.resident_bytes()))
            end_us = time.time_ns() // 1_000
            worker.stop()
            middle_us = (begun_us + end_us) // 2
            early = reader.latencies_ms(begun_us + (end_us - begun_us) // 10, middle_us)
            late = reader.latencies_ms(middle_us, end_us)
    warm = [look for look in looks if look[0] >= minutes * _WARM]
    return {
        "minutes": minutes,
        "resident_bytes_first": warm[0][1],
        "resident_bytes_last": warm[-1][1],
        "growth_percent_per_minute": round(_slope(warm) / warm[0][1] * 100, 3),
        "p99_ms_first_half": quantile(early, 0.99),
        "p99_ms_second_half": quantile(late, 0.99),
    }


def _slope(points: list[tuple[float, int]]) -> float:
    """Return the slope of the line with the least squares."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
