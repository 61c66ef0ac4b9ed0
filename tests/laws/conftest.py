"""A failing law says what differs, in functions it calls, too; and bugs are planted only where they can grow."""

import pytest

from agents.compiled import is_compiled

pytest.register_assert_rewrite("tests.laws.judging_bench")


@pytest.fixture
def monkeypatch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Compiled functions call each other directly, whatever stands under their names."""
    if is_compiled():
        pytest.skip("a bug can be planted in pure Python only")
    return monkeypatch
