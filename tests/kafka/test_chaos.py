"""A house that breaks loses nothing and repeats nothing: a short run, for every day. `make chaos` has the long ones."""

import subprocess
import sys
from typing import Any

import pytest

from load_tests.chaos.run import Plan, chaos
from load_tests.services.need import UnavailableError
from tests.services.fixtures import missing

WRONG = ("lost", "repeated", "strange", "state_differences", "undisturbed_differences")


def judged(plan: Plan) -> dict[str, Any]:
    try:
        return chaos(plan)
    except UnavailableError as error:
        missing(error)


def assert_nothing_went_wrong(verdict: dict[str, Any], kinds: list[str]) -> None:
    assert {name: verdict[name] for name in WRONG} == dict.fromkeys(WRONG, 0), verdict["examples"]
    assert verdict["settled"]
    assert verdict["workers_ended_by_themselves"] == []
    assert set(verdict["faults_of_each_kind"]) == set(kinds)
    assert verdict["policies"] == [1, 2]


@pytest.mark.timeout(400)
def test_nothing_is_lost_or_repeated_while_a_worker_and_the_broker_are_killed() -> None:
    kinds = ["kill", "broker_kill"]
    verdict = judged(Plan(transactions=3_000, seed=1, rate=300, kinds=kinds))
    assert_nothing_went_wrong(verdict, kinds)
    assert verdict["transactions"] == 3_000


def test_the_judge_shares_no_code_with_the_engine() -> None:
    """It must not believe what the engine believes."""
    program = "import load_tests.chaos.judge, sys; print([name for name in sys.modules if name.startswith('agents')])"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
