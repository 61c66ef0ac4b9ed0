"""The section `points` of a policy: what does not fit is named at its line; each case has one name, read back alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.points.case_names import KNOWN, OTHERS, case_name, case_of
from pipeline.points.rule import Rule
from pipeline.policy.diff import diff
from pipeline.policy.load import PolicyError, default_yaml, load_policy
from pipeline.policy.rewrite import with_section

SECTION = """\
points:
  mode: shadow
  outcomes: {challenge: 150, hold: 400}
  fitted: 11
  categories: ["purchase/5411", "transfer, period 2"]
  tables:
    hour:
      "all": {below: [6], points: [40, -10]}
    amount:
      "category purchase/5411, period 0": {below: [100, 2500.5], points: [-30, 0, 210]}
      "category transfer, period 2, period 1": {below: [99], points: [5, 6]}
"""


def proposed(section: str) -> bytes:
    return with_section(default_yaml(), "points", section, 2)


def test_a_section_of_points_can_be_read_and_compared() -> None:
    policy, other = (load_policy(proposed(text)) for text in (SECTION, SECTION.replace("210", "190")))
    assert policy.points is not None
    assert policy.points.tables["amount"]["category transfer, period 2, period 1"].points == (5, 6)
    assert [str(change) for change in diff(policy, other)] == [
        "policy: points.tables.amount.category purchase/5411, period 0.points [-30, 0, 210] -> [-30, 0, 190]"
    ]


def test_a_section_is_replaced_where_it_stands() -> None:
    text = proposed(SECTION) + b"# the end\n"
    assert with_section(text, "points", SECTION.replace("hold: 400", "hold: 500"), 2) == text.replace(
        b"hold: 400", b"hold: 500"
    )


@pytest.mark.parametrize(
    "old,new,line,message",
    [
        ("fitted: 11", "fitted: 12", 4, "says 12, but 11 edges and points stand below"),
        ("fitted: 11", "fitted: 601", 4, "expected a whole number from 0 to 600"),
        ("hold: 400", "hold: 140", 3, "begins at 140, below challenge at 150: more points never end milder"),
        ("[40, -10]", "[40]", 8, "1 for 1 edges: one more is needed"),
        ("[100, 2500.5]", "[100, 99]", 10, "99 does not rise above 100"),
        ("    hour:", "    hours:", 7, "expected one of amount"),
        ('5411, period 0"', '5412, period 0"', 10, "purchase/5412 is none of the first 31 `categories`"),
        ('5411, period 0"', '5411, period 9"', 10, "period counts from 0 to 7"),
        ('5411, period 0"', '5411, phase 0"', 10, "purchase/5411, phase 0 is none"),
        ('"category purchase/5411, period 0"', '"period 0"', 10, "its cases do not tell the same things apart"),
        ('"category purchase/5411, period 0"', '"period x"', 10, "expected all, or some of category N, period N"),
        ("below: [6]", "below: [six]", 8, "expected a number in digits"),
        ("mode: shadow", "mode: loud", 2, "expected one of off, shadow, live"),
    ],
)
def test_what_does_not_fit_is_named_at_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in SECTION
    before = len(default_yaml().decode().rstrip("\n").split("\n")) + 1
    text = proposed(SECTION).decode().replace(SECTION, SECTION.replace(old, new))
    with pytest.raises(PolicyError) as raised:
        load_policy(text.encode())
    said = [(problem.line - before, problem.message) for problem in raised.value.problems]
    assert [at for at, words in said if message in words] == [line], said


@given(st.data(), st.sampled_from(list(KNOWN.values())), st.lists(st.text("abc, /", min_size=1), unique=True))
def test_every_case_has_a_name_of_its_own(data: st.DataObject, rule: Rule, categories: list[str]) -> None:
    values = data.draw(st.tuples(*[st.integers(0, case.most) for case in rule.cases]))
    if rule.cases and rule.cases[0].feature == "category" and values[0] >= len(categories):
        values = (rule.cases[0].most, *values[1:])
        assert OTHERS in case_name(rule, values, categories)
    assert case_of(rule, case_name(rule, values, categories), categories) == (rule, values)
