"""Waiting on conditions: the only way in which a test or a measurement may wait."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

BETWEEN_LOOKS_S = 0.02


def until(condition: Callable[[], T | None], what: str, *, seconds: float = 30.0) -> T:
    """Return the first truthy answer of `condition`, asked every 20 ms; `TimeoutError` names `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            message = f"waited {seconds:g} s in vain for {what}"
            raise TimeoutError(message)
        time.sleep(BETWEEN_LOOKS_S)
    return answer
