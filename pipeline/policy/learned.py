"""The section `learned` of a policy: which model is asked beside the rules, and what its word asks for."""

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from pipeline.policy.containers import Field, Record
from pipeline.policy.durations import Duration
from pipeline.policy.points import PointsOutcomes
from pipeline.policy.reading import Path
from pipeline.policy.shapes import Choice, Integer, Text
from schemas.decision import Mode
from schemas.timestamps import MS_PER_DAY

LEARNED_RULE = "learned"


class Learned(Struct, frozen=True, kw_only=True):
    """`model` is the hash of a model on the topic `models`; `outcomes` begin at so many thousandths of probability."""

    mode: Mode
    model: str
    outcomes: PointsOutcomes
    cool_down_ms: int = MS_PER_DAY


_FROM = {
    name: Field(
        Integer(1, 999),
        f"From how many thousandths of probability on a payment ends in {name} at least; leave it out for never.",
        required=False,
    )
    for name in PointsOutcomes.__struct_fields__
}
LEARNED_OUTCOMES = Record("challenge, review and hold, each or none", _FROM)
LEARNED = Record(
    "learned: mode, model, outcomes",
    {
        "mode": Field(Choice("off", "shadow", "live"), "As of a rule: `shadow` is recorded only."),
        "model": Field(
            Text("the hash of a model, 64 digits of hex", "[0-9a-f]{64}"), "`tierwatch model show` says what it is."
        ),
        "outcomes": Field(LEARNED_OUTCOMES, "What so high a probability of fraud ends in."),
        "cool_down": Field(
            Duration(0, 31 * MS_PER_DAY),
            "How long after an alert the model makes no further one for the customer by itself.",
            required=False,
            default=MS_PER_DAY,
        ),
    },
)


def problems(learned: Learned) -> Iterator[tuple[Path, str]]:
    """Everything that is wrong between the fields, each at its place within the section."""
    for (mild, low), (harsh, high) in pairwise(learned.outcomes.given()):
        if high < low:
            yield ("outcomes", harsh), f"begins at {high}, below {mild} at {low}: likelier fraud never ends milder"
