"""Headers of an alert that say when a worker had it in hand: between its arrival and the timestamp of its record.

Added by the worker on its way out: no two runs agree on them, so comparisons leave them out.
"""

# The worker had fetched the transaction.
FETCHED_AT = "tw_fetched_at"
# It had judged the batch that the transaction came in.
JUDGED_AT = "tw_judged_at"

NAMES = (FETCHED_AT, JUDGED_AT)
