"""`python -m console.rules_page [--check]`: write `docs/rules/` from what the rules say of themselves."""

import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import getdoc
from pathlib import Path

from console.generated import keep_current
from pipeline.currencies import EXPONENTS
from pipeline.policy.durations import format_duration
from pipeline.policy.fields import RULE_PARAMETERS, RULE_TABLE
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.model import RULES, Rule
from pipeline.policy.shapes import Leaf
from pipeline.rules import PATTERNS

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "rules"
# Rules that share a page, because they share a file; every other rule has a file of its own name.
_FILES = {
    "amount_per_transaction": "per_transaction",
    "new_payee_amount": "new_payee",
    "new_device_amount": "new_device",
    "deny_list": "listed",
    "watch_list": "listed",
    "compromised_merchant": "entity_risk",
    "fraud_linked": "entity_risk",
}
# They fire by themselves or by a section of their own, and have no entry among the rules of a policy.
_WITHOUT_ENTRY = ("retroactive", "points")
_MADE = "<!-- Made from pipeline/rules/{file}.py by `python -m console.rules_page`; do not edit. -->\n"
_HEAD = """\
<!-- Made by `python -m console.rules_page` from the rules and the default policy; do not edit. -->
# The rules

Each has a page: what it catches, what it costs in false alarms, an example. The columns behind are how the default
policy sets it; [policy.md](../policy.md) says what they mean and what else can be set.

| rule | what it sees | mode | points | floor |
|---|---|---|---|---|
"""


def file_of(rule: str) -> str:
    """The file of `pipeline/rules/` in which a rule of the policy stands."""
    has_own = rule in PATTERNS or rule == "account_frozen"
    return _FILES.get(rule, rule if has_own else "velocity")


def pages() -> dict[str, str]:
    """The pages by file name."""
    default = load_policy(default_yaml())
    rows = [
        f"| [{rule.name}]({file_of(rule.name)}.md) | {RULE_TABLE.fields[rule.name].meaning} | {rule.mode} | "
        f"{rule.points} | {rule.floor} |\n"
        for rule in (default.rules[name] for name in RULES if name in default.rules)
    ]
    found = {"README.md": _HEAD + "".join(rows)}
    for file in dict.fromkeys([*map(file_of, RULES), *_WITHOUT_ENTRY]):
        named = [name for name in RULES if file_of(name) == file]
        settings = [default.rules[name] for name in named if name in default.rules]
        found[f"{file}.md"] = "\n".join(_page(file, named, settings, EXPONENTS[default.base_currency]))
    return found


def _page(file: str, named: list[str], settings: list[Rule], exponent: int) -> Iterator[str]:
    told = getdoc(import_module(f"pipeline.rules.{file}")) or ""
    yield _MADE.format(file=file)
    yield f"# {file.replace('_', ' ').capitalize()}\n"
    for paragraph in told.split("\n\n"):
        label, colon, rest = paragraph.partition(":")
        yield f"**{label}**:{rest}\n" if colon and label in {"False alarms", "Example"} else f"{paragraph}\n"
    for name in named:
        parameters = RULE_PARAMETERS.get(name, {})
        if parameters:
            yield f"`{name}` has, beside what every rule has:\n\n| field | meaning | value |\n|---|---|---|"
            yield (
                "\n".join(f"| `{field}` | {of.meaning} | {of.shape.words} |" for field, of in parameters.items()) + "\n"
            )
    for rule in settings:
        yield f"By default `{rule.name}` is {rule.mode}: {_words(rule, exponent)}.\n"
    for name in named:
        story = ROOT / "tests" / "scenarios" / name.replace("_", "-")
        if story.is_dir():
            yield f"[A story](../../tests/scenarios/{story.name}/README.md) in which it fires, and must not.\n"


def _words(rule: Rule, exponent: int) -> str:
    said = [f"{rule.points} points", f"severity {rule.severity}", f"never below {rule.floor}"]
    said.append(f"cool-down {format_duration(rule.cool_down_ms)}")
    for name, field in RULE_PARAMETERS.get(rule.name, {}).items():
        if isinstance(field.shape, Leaf):
            said.append(f"`{name}` {field.shape.say(getattr(rule, name + field.shape.unit), exponent)}")
    return ", ".join(said)


def main() -> int:
    """Write the pages, or with `--check` return 1 where one is not current."""
    return max(keep_current(PAGES / name, text, "console.rules_page") for name, text in pages().items())


if __name__ == "__main__":
    sys.exit(main())
