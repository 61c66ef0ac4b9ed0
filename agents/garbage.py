"""When Python looks for garbage: seldom, because a worker makes hardly any, and holds much that is none."""

import gc

# Each transaction leaves a few objects in the state of its customer, and none that only the collector could free. By
# default Python would look through 700 new objects at a time, and through all customers again and again: a quarter of
# the worker's time. What libraries leave in cycles is still found, tens of thousands at a time.
_YOUNG_OBJECTS = 50_000


def collect_seldom() -> None:
    """For a whole process, once all is imported: what stands now is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
