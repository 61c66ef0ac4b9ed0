"""`python -m load_tests.stand.sampled worker`: a worker that says at its end where its CPU time went.

A thread looks now and then at what every thread is doing, and books the CPU time that each has used since the last look
to the stage it is in. SIGUSR1 begins the account anew. Compiled code shows as the Python code that called it, so
with a compiled pipeline decoding and the writing of states are part of `judge` and of `encode`.
"""

import json
import runpy
import signal
import sys
import threading
import time
from collections import defaultdict
from operator import itemgetter
from types import FrameType

_BETWEEN_LOOKS_S = 0.003
# The first that fits, from the innermost call outwards; an empty function: any.
_STAGES = (
    ("schemas/codec.py", "encode", "encode"),
    ("schemas/codec.py", "", "decode"),
    ("pipeline/validate.py", "", "decode"),
    ("pipeline/customer.py", "take_changes", "encode"),
    ("pipeline/messages.py", "", "encode"),
    ("agents/engine/batches.py", "", "produce"),
    ("agents/engine/writer.py", "batches", "produce"),
    ("agents/engine/requests.py", "", "commit"),
    ("agents/engine/transactions.py", "", "commit"),
    ("agents/engine/writer.py", "", "commit"),
    ("agents/engine/journal.py", "", "journal"),
    ("agents/engine/fetcher.py", "", "fetch"),
    ("agents/engine/transport.py", "", "fetch"),
    ("aiokafka/consumer/", "", "fetch"),
    ("aiokafka/record/", "", "fetch"),
    ("faust/transport/", "", "fetch"),
    ("agents/engine/shard.py", "take", "judge"),
    ("agents/engine/shard.py", "_commit", "encode"),
    ("pipeline/", "", "judge"),
    ("agents/measure.py", "", "metrics"),
    ("faust/", "", "faust"),
    ("mode/", "", "faust"),
    ("asyncio/", "", "event loop"),
    ("selectors.py", "", "event loop"),
)


class Sampler(threading.Thread):
    """Books CPU time to stages until the process ends."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds: dict[str, float] = defaultdict(float)

    def run(self) -> None:
        """Look again and again."""
        used: dict[int, float] = {}
        while True:
            time.sleep(_BETWEEN_LOOKS_S)
            for thread, frame in sys._current_frames().items():  # noqa: SLF001 - the documented way to look at others
                if thread == threading.get_ident():
                    continue
                try:
                    now = time.clock_gettime(time.pthread_getcpuclockid(thread))
                except OSError:  # it has just ended
                    continue
                self.seconds[_stage(frame)] += now - used.get(thread, now)
                used[thread] = now


def _stage(frame: FrameType | None) -> str:
    while frame is not None:
        file, function = frame.f_code.co_filename, frame.f_code.co_name
        for part, name, stage in _STAGES:
            if part in file and name in {"", function}:
                return stage
        frame = frame.f_back
    return "other"


def main() -> None:
    """Run the command line beside a sampler."""
    sampler = Sampler()
    signal.signal(signal.SIGUSR1, lambda *_: sampler.seconds.clear())
    sampler.start()
    try:
        runpy.run_module("console", run_name="__main__")
    finally:
        spent = sorted(sampler.seconds.items(), key=itemgetter(1), reverse=True)
        print("stages " + json.dumps(dict(spent)), flush=True)


if __name__ == "__main__":
    main()
