"""A worker says where it waits: what an engineer on call needs before a restart takes it away."""

import asyncio
import logging

import pytest

from agents.waits import STANDS_S, Standstill, tell


async def _outer() -> None:
    await _inner()


async def _inner() -> None:
    await asyncio.Event().wait()


def _told(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, str]]:
    return [vars(record)["values"] for record in caplog.records if record.getMessage() == event]


def test_a_task_is_followed_to_what_it_waits_for(caplog: pytest.LogCaptureFixture) -> None:
    async def look() -> None:
        waiting = asyncio.create_task(_outer(), name="patient")
        await asyncio.sleep(0)
        tell([asyncio.get_running_loop()])
        waiting.cancel()

    with caplog.at_level(logging.WARNING):
        asyncio.run(look())
    (at,) = [values["at"] for values in _told(caplog, "a task waits at") if values["task"] == "patient"]
    assert [place.split()[-1] for place in at.split(" > ")[:3]] == ["_outer", "_inner", "wait"]
    assert "MainThread" in {values["thread"] for values in _told(caplog, "a thread is at")}


def test_a_standstill_is_told_once_and_only_when_nothing_comes_on(caplog: pytest.LogCaptureFixture) -> None:
    still = Standstill([])
    for second in range(10 * int(STANDS_S)):
        still.look("", 0, second)
        still.look("its state", second, second)  # it is being read
    assert _told(caplog, "a thread is at") == []
    for second in range(10 * int(STANDS_S)):
        still.look("its part of the group", 0, second)
    # Other tests of this process may have left threads of one name.
    assert [values["thread"] for values in _told(caplog, "a thread is at")].count("MainThread") == 1
    assert _told(caplog, "nothing comes on: send the lines that follow with your report") == [
        {"waits_for": "its part of the group"}
    ]
