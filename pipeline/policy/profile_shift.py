"""When a customer's week has left the customer's own profile: how far above the weeks before, and from where on."""

from msgspec import Struct

from pipeline.policy.containers import Field, Record
from pipeline.policy.shapes import Integer

# The windows remember four weeks and a little more: the one measured, and so many before it.
EARLIER_WEEKS = 3
_LARGEST_COUNT = 1_000_000


class ProfileShift(Struct, frozen=True, kw_only=True):
    """A week has shifted that is above `above_pct` per cent of each of the weeks before, and above a least figure.

    `weeks` of those before must have payments, or nothing is said. The least figures are `limit_pct` per cent of the
    customer's own limits of seven days, and counts of what is new.
    """

    weeks: int
    above_pct: int
    limit_pct: int
    new_payees: int
    new_devices: int


PROFILE_SHIFT = Record(
    "the profile shift: weeks, above_pct, limit_pct, new_payees, new_devices",
    {
        "weeks": Field(
            Integer(1, EARLIER_WEEKS),
            "In how many of the three weeks before there must have been payments; with fewer nothing is said.",
        ),
        "above_pct": Field(
            Integer(100, 10_000),
            "How much the last seven days may have, in per cent of the largest of the three weeks before.",
        ),
        "limit_pct": Field(
            Integer(0, 100),
            "How much they may have whatever the weeks before, in per cent of the limits `amount_7d` and `count_7d`.",
        ),
        "new_payees": Field(Integer(0, _LARGEST_COUNT), "How many new payees they may have whatever the weeks before."),
        "new_devices": Field(Integer(0, _LARGEST_COUNT), "How many new devices."),
    },
)
