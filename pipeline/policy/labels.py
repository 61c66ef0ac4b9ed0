"""What labels lead to: when each kind counts, how much, and what the customer's own word does."""

from typing import Literal

from msgspec import Struct

from pipeline.policy.containers import Field, Record
from pipeline.policy.durations import Duration
from pipeline.policy.shapes import Choice, Flag, Integer
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

Denied = Literal["freeze", "nothing"]


class Labels(Struct, frozen=True, kw_only=True):
    """Without such a section in the policy its defaults hold.

    A label teaches `fraud_ms` or `genuine_ms` after it was given, so that one given in error can be withdrawn before; a
    provisional one counts `provisional_pct` per cent of a final one.
    """

    fraud_ms: int = MS_PER_HOUR
    genuine_ms: int = 7 * MS_PER_DAY
    provisional_pct: int = 50
    # What follows when a customer says that a payment was not theirs, and whether a payment held is let go if it was.
    denied: Denied = "freeze"
    confirmed_releases: bool = True


LABELS = Record(
    "what labels lead to: fraud, genuine, provisional_pct, denied, confirmed_releases",
    {
        "fraud": Field(
            Duration(0, 90 * MS_PER_DAY), "How long after it was given a label of fraud begins to teach.",
            required=False, default=MS_PER_HOUR,
        ),
        "genuine": Field(
            Duration(0, 90 * MS_PER_DAY), "How long after it was given a label of a genuine payment does.",
            required=False, default=7 * MS_PER_DAY,
        ),
        "provisional_pct": Field(
            Integer(0, 100), "How much a provisional label counts, in per cent of a final one.",
            required=False, default=50,
        ),
        "denied": Field(
            Choice("freeze", "nothing"), "What follows at once when a customer says that a payment was not theirs.",
            required=False, default="freeze",
        ),
        "confirmed_releases": Field(
            Flag(), "Whether a payment that was put on hold is let go when the customer says that it was theirs.",
            required=False, default=True,
        ),
    },
)  # fmt: skip
