"""What all tests share: the services, how laws are tried, and the order of the tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from agents.compiled import prefer

# `make test COMPILED=1 ARGS=tests/laws`: the same tests of the compiled pipeline. It must come before any import of it.
if os.environ.get("COMPILED"):
    from tests.services.compiled import compiled_folder

    prefer(compiled_folder())

pytest_plugins = ["tests.services.fixtures"]

# Law by law, a person's machine explores; CI repeats itself, so that a red build always means the change.
# No deadline: the machine is shared, and speed is measured by benchmarks.
settings.register_profile("explore", deadline=None, print_blob=True)
settings.register_profile("repeat", parent=settings.get_profile("explore"), derandomize=True)
settings.load_profile("repeat" if os.environ.get("CI") else "explore")

HERE = Path(__file__).parent
# Files of minutes, the longest first.
LONGEST = (
    "kafka/test_faults.py",
    "test_compiled.py",
    "kafka/test_throughput.py",
    "kafka/test_verify.py",
    "kafka/test_chaos.py",
    "kafka/test_worker.py",
    "kafka/test_lanes.py",
    "test_services.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first: what fails, fails soon. Of several processes none shall end with what takes minutes."""
    several = "PYTEST_XDIST_WORKER" in os.environ
    items.sort(key=longest_first if several else is_slow)


def is_slow(item: pytest.Item) -> bool:
    """Whether a test waits for Kafka."""
    return item.path.is_relative_to(HERE / "kafka")


def longest_first(item: pytest.Item) -> tuple[int, bool]:
    """Where a test's file stands among those of minutes, and then those on Kafka before the rest."""
    name = item.path.relative_to(HERE).as_posix()
    return LONGEST.index(name) if name in LONGEST else len(LONGEST), not is_slow(item)
