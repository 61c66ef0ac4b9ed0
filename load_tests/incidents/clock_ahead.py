"""`python -m load_tests.incidents.clock_ahead worker`: tierwatch on a machine whose clock is an hour ahead."""

import runpy
import time

AHEAD_S = 3_600
_right = time.time


def _wrong() -> float:
    return _right() + AHEAD_S


if __name__ == "__main__":
    time.time = _wrong
    runpy.run_module("console", run_name="__main__")
