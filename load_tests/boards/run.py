"""A house in which things happen, and what its boards show then."""

import json
import sys
import time
from pathlib import Path

from load_tests.boards.asked import asked, step
from load_tests.boards.drawn import Drawn, drawn
from load_tests.incidents.faults import FAULTS, Fault
from load_tests.incidents.house import LOOKS_S, House
from load_tests.services.prometheus import Prometheus
from load_tests.stand.stand import ROOT

BOARDS = ROOT / "dashboards" / "grafana" / "boards"
# In this order, so that each leaves a trace on some board.
STORY = ("poison messages", "receiver dead", "a rule gone wild", "worker gone", "processor silent")
_BROKEN_S = 40.0
# Transactions a second. Ten times as many would begin with half a million of registered phones and payees.
_RATE = "0.5"


def pictures(folder: Path, minutes: float) -> dict[str, Drawn]:
    """Let a city live for so many minutes, break a few things, and draw each board into `folder`.

    Raises:
        UnavailableError: something that is needed cannot be had; the text says what to do.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with House(factor=1) as house:
        begun_s = time.time()
        live(house, minutes)
        told(house.prometheus, folder, begun_s, time.time())
    return drawn(folder)


def live(house: House, minutes: float) -> None:
    """Return when the time is over; each of the story's faults lasts a while, and has the same share of it."""
    seconds = minutes * 60
    simulate = [sys.executable, "-m", "console", "simulate", "--rate", _RATE, "--policy", house.surroundings["policy"]]
    with house.stand.program("city", simulate, TIERWATCH_BROKER=house.kafka.bootstrap):
        faults = [_named(name) for name in STORY]
        turn_s = seconds / (len(faults) + 1)
        time.sleep(turn_s)
        for fault in faults:
            fault.breaks(house)
            time.sleep(min(_BROKEN_S, turn_s / 2))
            fault.mends(house)
            time.sleep(max(turn_s - _BROKEN_S, turn_s / 2))


def told(prometheus: Prometheus, folder: Path, begin_s: float, end_s: float) -> None:
    """Write what each board shows of a time, epoch seconds, beside where its picture will be."""
    for path in sorted(BOARDS.glob("*.json")):
        board = json.loads(path.read_text())
        answers = asked(prometheus, board, begin_s, end_s, LOOKS_S)
        step_ms = step(begin_s, end_s, LOOKS_S) * 1000
        shown = {"board": board, "asked": answers, "from": begin_s * 1000, "to": end_s * 1000, "step": step_ms}
        (folder / path.name).write_text(json.dumps(shown))


def _named(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)
