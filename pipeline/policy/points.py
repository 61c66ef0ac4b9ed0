"""The section `points` of a policy: tables that turn what is seen of a payment into points, calibrated on labels."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from msgspec import Struct

from pipeline.points.case_names import KNOWN, CaseError, case_of
from pipeline.policy.containers import Field, ListOf, MapOf, Record
from pipeline.policy.durations import Duration
from pipeline.policy.reading import Path, Reading
from pipeline.policy.shapes import Choice, Integer, Leaf, Text
from schemas.decision import Mode, Outcome
from schemas.timestamps import MS_PER_DAY

# What people read before they sign cannot be thousands of numbers.
MOST_FITTED = 600
_LARGEST = 100_000
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")


class PointsCase(Struct, frozen=True):
    """One more of `points` than of `below`: a figure under the first edge has the first."""

    below: tuple[float, ...]
    points: tuple[int, ...]


class PointsOutcomes(Struct, frozen=True, kw_only=True):
    """From how many points on a payment ends at least so; None for never."""

    challenge: int | None = None
    review: int | None = None
    hold: int | None = None

    def given(self) -> list[tuple[Outcome, int]]:
        """Those that are named, the mildest first."""
        named: list[tuple[Outcome, int | None]] = [
            ("challenge", self.challenge),
            ("review", self.review),
            ("hold", self.hold),
        ]
        return [(outcome, since) for outcome, since in named if since is not None]


class Points(Struct, frozen=True, kw_only=True):
    """`tables` by rule and case (`pipeline.points.case_names`); `categories` in the order in which they are counted."""

    mode: Mode
    outcomes: PointsOutcomes
    fitted: int
    categories: tuple[str, ...]
    cool_down_ms: int = MS_PER_DAY
    tables: Mapping[str, Mapping[str, PointsCase]]


class Number(Leaf):
    """A decimal number."""

    placeholder = 0.0
    words = "a number in digits, such as 12 or -0.5"

    def parse(self, text: str, reading: Reading) -> float:  # noqa: ARG002 - a shape's signature
        """Give the number."""
        if _NUMBER.fullmatch(text):
            return float(text)
        raise ValueError

    def say(self, value: float, exponent: int) -> str:  # noqa: ARG002 - the same
        """Its digits."""
        return f"{value:g}"

    def schema(self) -> dict[str, Any]:
        """A number."""
        return {"type": "number"}


_NAME = Text("a name of letters, digits and - _ / . & ( ) , : or spaces, at most 200", r"[\w/.&(),:| -]{1,200}")
_POINTS = Integer(-_LARGEST, _LARGEST)
POINTS_CASE = Record(
    "below and points",
    {
        "below": Field(
            ListOf(Number(), "a list of rising edges, such as [10, 50]", most=MOST_FITTED), "Where slices end."
        ),
        "points": Field(
            ListOf(_POINTS, "a list of whole numbers, one more than edges", least=1, most=MOST_FITTED),
            "The points of each slice.",
        ),
    },
)
_FROM = {
    name: Field(_POINTS, f"From how many points on a payment ends in {name} at least; leave it out for never.", False)  # noqa: FBT003
    for name in PointsOutcomes.__struct_fields__
}
POINTS_OUTCOMES = Record("challenge, review and hold, each or none", _FROM)
POINTS = Record(
    "points: mode, outcomes, fitted, categories, tables",
    {
        "mode": Field(Choice("off", "shadow", "live"), "As of a rule: `shadow` is recorded only."),
        "outcomes": Field(POINTS_OUTCOMES, "What so many points end in."),
        "fitted": Field(Integer(0, MOST_FITTED), "How many numbers came from data: all edges and points."),
        "categories": Field(ListOf(_NAME, "a list of categories", most=MOST_FITTED), "The categories told apart."),
        "cool_down": Field(
            Duration(0, 31 * MS_PER_DAY),
            "How long after an alert points make no further one for the customer.",
            required=False,
            default=MS_PER_DAY,
        ),
        "tables": Field(
            MapOf(
                Text(f"one of {', '.join(KNOWN)}", "|".join(map(re.escape, KNOWN))),
                MapOf(_NAME, POINTS_CASE, 'a mapping from case, such as "all" or "period 2", to its points', least=1),
                "a mapping from rule to cases",
            ),
            "The points, by rule and case.",
        ),
    },
)


def problems(points: Points) -> Iterator[tuple[Path, str]]:
    """Everything that is wrong between the fields, each at its place within the section."""
    yield from _outcomes(points.outcomes)
    fitted = 0
    for name, cases in points.tables.items():
        apart = set()
        for words, case in cases.items():
            here: Path = ("tables", name, words)
            fitted += len(case.below) + len(case.points)
            if len(case.points) != len(case.below) + 1:
                yield (*here, "points"), f"{len(case.points)} for {len(case.below)} edges: one more is needed"
            for at, (edge, next_) in enumerate(pairwise(case.below), start=1):
                if next_ <= edge:
                    yield (*here, "below", at), f"{next_:g} does not rise above {edge:g}"
            if name in KNOWN:
                try:
                    apart.add(case_of(KNOWN[name], words, points.categories)[0].cases)
                except CaseError as error:
                    yield here, str(error)
        if len(apart) > 1:
            yield ("tables", name), "its cases do not tell the same things apart: name the same ones in each"
    if fitted != points.fitted:
        yield ("fitted",), f"says {points.fitted}, but {fitted} edges and points stand below"


def _outcomes(outcomes: PointsOutcomes) -> Iterator[tuple[Path, str]]:
    for (mild, low), (harsh, high) in pairwise(outcomes.given()):
        if high < low:
            yield ("outcomes", harsh), f"begins at {high}, below {mild} at {low}: more points never end milder"
