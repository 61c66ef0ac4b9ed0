"""When Python looks for garbage: seldom and shortly, because a worker makes hardly any, and holds much that is none."""

import gc

# Each transaction leaves a few objects in the state of its customer, and none that only the collector could free. By
# default Python would look through 700 new objects at a time, and through all customers again and again: a quarter of
# the worker's time. What libraries leave in cycles is found while it is young; what outlives one look stays for ever.
_YOUNG_OBJECTS = 10_000


def collect_seldom() -> None:
    """For a whole process, once all is imported: what has been looked through once is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    gc.callbacks.append(_freeze)


def _freeze(phase: str, _: dict[str, int]) -> None:
    # The next generation would be looked through for half a second at a time, where many customers are held.
    if phase == "stop":
        gc.freeze()
