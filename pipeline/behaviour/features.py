"""The features by name and group: what rules and models are told about a payment, in this order.

A feature that says nothing yet is 0, or -1 where 0 would say something ("never").
"""

from typing import Final

# `--without GROUP` takes a whole group away from rules and models alike.
GROUPS: Final = {
    "amounts": ("amount",),
    "category": ("category",),
    "own-amounts": ("history", "mean", "ratio", "z"),
    "spikes": ("spikes", "highest_spike", "spike_strength", "days_since_spike"),
    "rhythm": ("count_1h", "count_24h", "sum_24h", "hours_since_last"),
    "hours": ("hour", "hour_share", "period"),
    "own-categories": ("category_count", "category_ratio"),
    "first-seen": (
        "hours_since_receiving",
        "receipts",
        "share_of_receipt",
        "earlier_of_kind",
        "new_payee",
        "new_payees_24h",
        "payee_age_hours",
        "unseen_payee",
    ),
    "terminals": (
        "streak",
        "streak_evidence",
        "streak_smallest_ratio",
        "streak_days",
        "days_since_cleared",
        "place_risk_30d",
        "place_labelled_30d",
    ),
    "memory": ("memory_48h",),
}
FEATURES: Final = tuple(name for names in GROUPS.values() for name in names)
INDEX: Final = {name: index for index, name in enumerate(FEATURES)}
# Filled in by the points themselves: which part of the day it is, and the customer's own points of the last 48 hours.
PERIOD: Final = "period"
MEMORY: Final = "memory_48h"
# What nobody knows while a payment is judged: whether others have paid a payee, how usual the amounts of a streak were
# that were no spikes, and what points said before.
ELSEWHERE: Final = frozenset(
    {
        "payee_age_hours",
        "unseen_payee",
        "streak_evidence",
        "streak_smallest_ratio",
        *GROUPS["memory"],
    }
)
# What the payments of the last day tell, which cost the most to look up.
RHYTHM: Final = frozenset(GROUPS["rhythm"])
# What it takes to know more than the customer's own past.
POPULATION: Final = ("amounts", "category", "hours", "terminals", "memory")
