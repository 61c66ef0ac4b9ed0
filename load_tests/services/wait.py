"""Waiting on conditions: the only way in which a test or a measurement may wait."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_SOONEST_S, _LATEST_S = 0.02, 0.25
# Of the time waited so far: who waits long looks seldom, so that looking takes no core from what is waited for.
_SHARE = 0.05


def until(condition: Callable[[], T | None], what: str, *, seconds: float = 30.0) -> T:
    """Return the first truthy answer of `condition`, asked ever more seldom.

    Raises:
        TimeoutError: After `seconds`; it names `what`.
    """
    begun = time.monotonic()
    while not (answer := condition()):
        waited = time.monotonic() - begun
        if waited > seconds:
            message = f"waited {seconds:g} s in vain for {what}"
            raise TimeoutError(message)
        time.sleep(min(max(_SOONEST_S, waited * _SHARE), _LATEST_S))
    return answer
