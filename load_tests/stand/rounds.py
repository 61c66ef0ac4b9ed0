"""Rounds of the same amount of work for a program that keeps running.

While a load is prepared the program is stopped by a signal: nothing of the preparation is measured, the program stays
warm, and all of the load is there when it goes on. A round has ended when the last record of each partition has come
out, committed, and the program has gone quiet.
"""

import signal
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from load_tests.stand.program import Meter, Program, Team
from load_tests.stand.tail import Tail

_BETWEEN_LOOKS_S = 0.05
_LONGEST_S = 600.0


class Round(NamedTuple):
    """What a round took."""

    records: int
    cpu_seconds: float
    wall_seconds: float

    @property
    def cpu_us(self) -> float:
        """CPU time of the whole process group a record, microseconds."""
        return self.cpu_seconds / self.records * 1e6

    @property
    def per_second(self) -> float:
        """Records a second."""
        return self.records / self.wall_seconds


class Load(NamedTuple):
    """What was published: how many records, and of each partition what the last one's output contains."""

    records: int
    last: Mapping[int, bytes]


class TooSlowError(Exception):
    """A round did not end."""


def measure(program: Program | Team, prepare: Callable[[], Load], output: Tail) -> Round:
    """Stop the program, prepare a load, and return what it took to do all of it."""
    program.send(signal.SIGSTOP)
    load = prepare()
    meter = Meter(program)
    program.send(signal.SIGCONT)
    await_last(program, load.last, output)
    cpu_seconds, wall_seconds = meter.read()
    return Round(load.records, cpu_seconds, wall_seconds)


def await_last(program: Program | Team, last: Mapping[int, bytes], output: Tail) -> None:
    """Return when the last record of every partition has come out.

    Raises:
        ProgramError: the program ended.
        TooSlowError: they did not come for ten minutes.

    """
    awaited, seen = dict(last), dict.fromkeys(last, 0)
    give_up = time.monotonic() + _LONGEST_S
    while awaited:
        time.sleep(_BETWEEN_LOOKS_S)
        program.check()
        if time.monotonic() > give_up:
            raise TooSlowError(f"{program.name}: nothing came out for {sorted(awaited)}:\n{program.log()[-3000:]}")
        ends = output.ends()
        for partition in [number for number in awaited if ends[number] != seen[number]]:
            newest = output.last(partition, ends[partition])
            if newest is None:
                continue
            seen[partition] = ends[partition]
            if awaited[partition] in newest:
                del awaited[partition]
