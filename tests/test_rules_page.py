"""The pages on rules are what the rules say of themselves."""

from pathlib import Path

from console.rules_page import PAGES, ROOT, file_of, pages
from pipeline.policy.model import RULES


def test_the_pages_are_current() -> None:
    there = {page.name: page.read_text(encoding="utf-8") for page in PAGES.iterdir()}
    assert there == pages()


def test_every_rule_has_a_page_and_every_file_of_a_rule_is_one() -> None:
    rules = ROOT / "pipeline" / "rules"
    helpers = {"__init__", "pattern", "recent"}
    files = {path.stem for path in rules.glob("*.py")} - helpers
    assert {*map(file_of, RULES), "retroactive", "points"} == files


def test_a_page_says_what_it_catches_what_it_costs_and_shows_it() -> None:
    for name in Path(PAGES).glob("*.md"):
        if name.stem != "README":
            text = name.read_text(encoding="utf-8")
            assert "**False alarms**" in text, name
            assert "**Example**" in text, name
