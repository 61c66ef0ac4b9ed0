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

SLOWEST = ("kafka", "web")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first: what fails, fails soon."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] in SLOWEST)
