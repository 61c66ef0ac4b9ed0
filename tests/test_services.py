"""The services of the tests end with their run, however it ends, and are started once however many ask."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from load_tests.services.need import UnavailableError
from load_tests.services.run import DiedError, OwnRun
from load_tests.services.wait import until

ROOT = Path(__file__).parents[1]
INNER = """
import pathlib, time

def test_that_hangs(redis_url):
    pathlib.Path("url").write_text(redis_url)
    time.sleep(600)
"""


@contextmanager
def hanging_run(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start pytest on a test that uses Redis and hangs; yield the process and the port of its Redis."""
    (folder / "test_inner.py").write_text(INNER)
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "tests.services.fixtures", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp"), "PYTEST_ADDOPTS": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: (folder / "url").exists() and (folder / "url").read_text(), "the inner test to hang")
        url = (folder / "url").read_text()
        yield process, int(url.split(":")[2].split("/")[0])
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell lets what it runs in the background ignore Ctrl-C, and what that starts would ignore it, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible", "redis_url")  # no Redis here: the reason is shown once, by the fixture
@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "xdist"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_run(end: signal.Signals, options: list[str], tmp_path: Path) -> None:
    with hanging_run(tmp_path, *options) as (process, port):
        assert answers(port)
        process.send_signal(end)
        process.wait(60)
        until(lambda: not answers(port), "Redis to end")
        until(lambda: not list((tmp_path / "tmp").glob("tierwatch-*")), "the run's folder to be removed")


@pytest.fixture
def own_run() -> Iterator[OwnRun]:
    run = OwnRun()
    yield run
    run.end()


def test_a_service_is_started_once(own_run: OwnRun) -> None:
    started = []

    def start(folder: Path) -> dict[str, str]:
        started.append(folder)
        return {"address": "here"}

    assert [own_run.once("thing", start) for _ in range(3)] == [{"address": "here"}] * 3
    assert len(started) == 1


def test_what_cannot_be_had_is_told_to_everyone(own_run: OwnRun) -> None:
    asked = []

    def start(folder: Path) -> dict[str, str]:
        asked.append(folder)
        reason = "install it"
        raise UnavailableError(reason)

    for _ in range(2):
        with pytest.raises(UnavailableError, match="install it"):
            own_run.once("thing", start)
    assert len(asked) == 1


def test_a_service_that_dies_says_why(own_run: OwnRun) -> None:
    dying = [sys.executable, "-c", "import sys; sys.exit('no such option')"]
    with pytest.raises(DiedError, match="no such option"):
        own_run.spawn(own_run.folder, dying, lambda: False)


@pytest.mark.parametrize("ci", ["", "true"])
def test_a_missing_program_is_a_skip_for_a_person_and_a_failure_in_ci(ci: str, tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text("def test_metrics(promtool):\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.services.fixtures", "-p", "no:cacheprovider", "-ra"],
        check=False,
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "CI": ci},
        text=True,
        capture_output=True,
    )
    outcome = "1 error" if ci else "1 skipped"
    assert outcome in done.stdout
    assert "no promtool on this machine: install your system's package prometheus" in done.stdout
