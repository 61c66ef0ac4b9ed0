"""A case in words, as the policy has it: `category 5411/pos, period 2`; `all` where nothing is told apart."""

import re
from collections.abc import Sequence
from typing import Final

from pipeline.points.rule import HOUR, RECENT_POINTS, RULES, Case, Rule

KNOWN: Final = {rule.name: rule for rule in (*RULES, HOUR, RECENT_POINTS)}
CATEGORY: Final = "category"
# Every category that is not listed; merchants have none that is called so.
OTHERS: Final = "(others)"
_ALL: Final = "all"


class CaseError(ValueError):
    """The words name no case of the rule; the message says why."""


def case_name(rule: Rule, values: Sequence[int], categories: Sequence[str]) -> str:
    """The words for the values of a rule's cases; `categories` are the names that the category counts from 0."""
    said = [f"{case.feature} {_said(case, value, categories)}" for case, value in zip(rule.cases, values, strict=True)]
    return ", ".join(said) or _ALL


def case_of(rule: Rule, name: str, categories: Sequence[str]) -> tuple[Rule, tuple[int, ...]]:
    """The rule as far as the words tell its cases apart, and the values of those.

    Raises:
        CaseError: they name none.

    """
    found = _pattern(rule).fullmatch(name)
    if found is None or not name:
        told = ", ".join([f"{case.feature} N" for case in rule.cases])
        raise CaseError(f"expected {_ALL}" + (f", or some of {told} in this order" if told else ""))
    given = {} if name == _ALL else {case: text for case, text in zip(rule.cases, found.groups(), strict=True) if text}
    return rule._replace(cases=tuple(given)), tuple([_value(case, text, categories) for case, text in given.items()])


def _said(case: Case, value: int, categories: Sequence[str]) -> str:
    if case.feature != CATEGORY:
        return str(value)
    return categories[value] if value < min(len(categories), case.most) else OTHERS


def _value(case: Case, text: str, categories: Sequence[str]) -> int:
    if case.feature == CATEGORY:
        if text == OTHERS:
            return case.most
        if text not in categories[: case.most]:
            raise CaseError(f"{text} is none of the first {case.most} `categories`; the rest are {OTHERS}")
        return categories.index(text)
    if not text.isdecimal() or int(text) > case.most:
        raise CaseError(f"{case.feature} counts from 0 to {case.most}")
    return int(text)


def _pattern(rule: Rule) -> re.Pattern[str]:
    """Each case or none, in order; a category may hold anything, so what follows it is found from the end."""
    parts = [
        rf"(?:(?:^|, ){case.feature} (.+?))?"
        if case.feature == CATEGORY
        else rf"(?:(?:^|(?<=.), ){case.feature} (\d+))?"
        for case in rule.cases
    ]
    return re.compile(rf"{_ALL}|{''.join(parts)}")
