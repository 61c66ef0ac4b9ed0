"""docs/measured.md: a benchmark writes its own table and leaves all others, and all words, as they are."""

import re
from pathlib import Path

import pytest

from load_tests import measured_page


def test_a_benchmark_replaces_its_own_table_only(tmp_path: Path) -> None:
    page = tmp_path / "measured.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- /a -->\nbetween\n<!-- b -->\nkept\n<!-- /b -->\n")
    measured_page.write("a", "run a", {"compiled": True, "worker": {"tx_per_s": 12_345, "alike": "\\1"}}, page)
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("before\n<!-- a -->\n\n`run a`\n")
    assert text.endswith("<!-- /a -->\nbetween\n<!-- b -->\nkept\n<!-- /b -->\n")
    assert "| compiled | True |\n| worker.tx_per_s | 12,345 |\n| worker.alike | \\1 |\n" in text


def test_a_page_without_a_place_is_told(tmp_path: Path) -> None:
    page = tmp_path / "measured.md"
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="no <!-- a -->"):
        measured_page.write("a", "run a", {}, page)


def test_the_page_has_a_place_for_each_benchmark_that_writes() -> None:
    assert set(re.findall(r"<!-- (\w+) -->", measured_page.PAGE.read_text())) == measured_page.MEASURED
