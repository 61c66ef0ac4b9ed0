"""A failing law says what differs, in functions it calls, too."""

import pytest

pytest.register_assert_rewrite("tests.laws.judging_bench")
