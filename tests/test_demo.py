"""`tierwatch demo` as people start it: in a process of its own, and nothing of it is left whatever ends it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.exit_codes import Exit
from console.exit_codes import INTERRUPTED
from load_tests.services.wait import until

# Whatever the demo starts inherits it, so that it can be found again.
MARK = "TMPDIR"


class Demo:
    """A demo with a temporary folder of its own; killed, should a test fail before its end."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.out = folder / "out"
        self.err = folder / "err"
        (folder / "console.py").write_text("raise ImportError('a stranger where the person stands')")
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "console", "demo", *arguments],
                cwd=folder,
                # A real installation's settings must not reach the demo.
                env=os.environ | {MARK: str(self.temporary), "TIERWATCH_BROKER": "nowhere:1", "TIERWATCH_POLICY": "no"},
                stdout=out,
                stderr=err,
            )

    def end(self) -> int:
        return self.process.wait(100)

    def shown(self, pattern: str) -> re.Match[str]:
        """Wait until it has shown a line like `pattern`; fail when it ends before."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.out.read_text(), re.MULTILINE)
            assert found or self.process.poll() is None, self.said()
            return found

        return until(look, f"{pattern!r} in the demo's output", seconds=90)

    def said(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def processes(self) -> list[int]:
        """The demo's processes, other than itself."""
        mark = f"{MARK}={self.temporary}".encode()
        return [
            int(folder.name)
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and int(folder.name) != self.process.pid and _environment(folder).count(mark)
        ]

    def left_behind(self) -> list[object]:
        return [*self.temporary.iterdir(), *self.processes()]


Start = Callable[..., Demo]


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Start]:
    if not Path("/proc/self/environ").exists():
        pytest.skip("finds the demo's processes in /proc, which only Linux has")
    started: list[Demo] = []

    def start(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        for process in each.processes():
            os.kill(process, signal.SIGKILL)


def test_one_day_is_decided_summed_up_and_gone(demo: Start) -> None:
    one = demo("--once", "--transactions", "1500")
    assert one.end() == 0, one.said()
    *tables, last = one.out.read_text().splitlines()
    counts = json.loads(last)
    assert list(counts) == [
        "transactions",
        "decisions",
        "duplicates",
        "alerts",
        "re_reviews",
        "dead_letters",
        "seconds",
        "life",
    ]
    assert counts["transactions"] >= 1500
    assert counts["transactions"] == counts["decisions"] + counts["duplicates"] + counts["dead_letters"]
    # One of each trick and of each broken record is tried, however small the city.
    assert counts["dead_letters"] == 13
    assert counts["alerts"] > 0
    assert counts["re_reviews"] >= counts["alerts"]
    steps, requests = counts["life"]["steps"], counts["life"]["requests"]
    for step in ("application.submitted", "application.pre_approved", "callback.answered", "admission.approved"):
        assert steps[step] > 0, step
    assert steps["tier.removed"] == steps["tier.reinstated"] == steps["application.declined"] == 1
    assert steps["trust.lowered"] == steps["trust.restored"] == requests["profile_shift"] == 1
    assert steps["review.demoted"] >= 1
    assert requests["call_back"] > 0
    assert requests["periodic"] > 0
    assert sum(requests.values()) == counts["re_reviews"]
    shown = "\n".join(tables)
    assert all(word in shown for word in ("platinum", "amount_1h", "velocity_burst", "conflicting_duplicate"))
    assert "\x1b" not in shown
    assert one.err.read_text() == ""
    assert one.left_behind() == []


def test_a_record_without_an_outcome_is_found(demo: Start) -> None:
    one = demo("--once", "--transactions", "200", "--lose-one")
    assert one.end() == Exit.MISMATCH, one.said()
    counts = json.loads(one.out.read_text().splitlines()[-1])
    assert counts["transactions"] == counts["decisions"] + counts["duplicates"] + counts["dead_letters"] + 1, one.said()
    assert "the books do not balance" in one.err.read_text()
    assert "1 without a decision, such as " in one.err.read_text()
    assert one.left_behind() == []


def test_alerts_are_shown_until_ctrl_c(demo: Start) -> None:
    watched = demo("--transactions", "600")
    url = watched.shown(r"Metrics: (\S+)")[1]
    watched.shown(r"^\d\d:\d\d:\d\dZ  cust-\d{5}  \w+ +(review|hold) .* \[\w+\]$")
    with urllib.request.urlopen(url, timeout=10) as metrics:  # noqa: S310 - our own worker's
        assert b"tierwatch_decisions_total" in metrics.read()
    watched.process.send_signal(signal.SIGINT)
    assert watched.end() == 0, watched.said()
    assert "Fraud by trick" in watched.out.read_text()
    assert watched.err.read_text() == ""
    assert watched.left_behind() == []


def test_a_day_that_is_broken_off_leaves_nothing(demo: Start) -> None:
    one = demo("--once")
    one.shown("Metrics: ")
    one.process.send_signal(signal.SIGTERM)
    assert one.end() == INTERRUPTED, one.said()
    assert "Traceback" not in one.said()
    assert one.left_behind() == []


def test_a_worker_that_dies_is_told_with_the_end_of_its_log(demo: Start) -> None:
    watched = demo("--transactions", "600")
    watched.shown("Metrics: ")
    (worker,) = watched.processes()
    os.kill(worker, signal.SIGKILL)
    assert watched.end() == Exit.FAILED, watched.said()
    told = watched.err.read_text()
    assert "the worker ended with exit code -9" in told
    assert "metrics served" in told
    assert watched.left_behind() == []
