"""The features by name and group: what rules and models are told about a payment, in this order.

A feature that says nothing yet is 0, or -1 where 0 would say something ("never").
"""

from typing import Final

# `--without GROUP` takes a whole group away from rules and models alike.
GROUPS: Final = {
    "amounts": ("amount", "category"),
    "own-amounts": ("history", "mean", "ratio", "z"),
    "spikes": ("spikes", "highest_spike", "spike_strength", "days_since_spike"),
    "rhythm": ("count_1h", "count_24h", "sum_24h", "hours_since_last"),
    "hours": ("hour", "hour_share"),
    "own-categories": ("category_count", "category_ratio"),
    "first-seen": (
        "hours_since_receiving",
        "receipts",
        "share_of_receipt",
        "earlier_of_kind",
        "new_payee",
        "new_payees_24h",
    ),
    "places": (
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
# What no look at other customers' payments has taught.
OWN_GROUPS: Final = ("own-amounts", "spikes", "rhythm", "own-categories", "first-seen")
