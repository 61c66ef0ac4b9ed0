"""Compile the pipeline's hot modules with mypyc, where that is asked for; all else stands in pyproject.toml.

    TIERWATCH_COMPILE=1 pip install --no-build-isolation .

needs a C compiler and mypy, and an error is an error. Without the variable the package is pure Python, which does the
same, byte for byte, and takes longer.
"""

import os

from setuptools import Extension, setup

# What each transaction passes through. Left out: what runs seldom; what msgspec or numpy does; classes of msgspec's,
# which lose their options when they are compiled.
HOT = (
    "pipeline/asked_for.py",
    "pipeline/assess.py",
    "pipeline/behaviour/__init__.py",
    "pipeline/behaviour/baseline.py",
    "pipeline/behaviour/categories.py",
    "pipeline/behaviour/lessons.py",
    "pipeline/behaviour/live.py",
    "pipeline/behaviour/own.py",
    "pipeline/behaviour/payment.py",
    "pipeline/behaviour/places.py",
    "pipeline/behaviour/profile.py",
    "pipeline/behaviour/profile_bytes.py",
    "pipeline/behaviour/receipts.py",
    "pipeline/behaviour/recent.py",
    "pipeline/behaviour/rhythm.py",
    "pipeline/behaviour/spikes.py",
    "pipeline/behaviour/weeks.py",
    "pipeline/buckets.py",
    "pipeline/calendar.py",
    "pipeline/cards.py",
    "pipeline/customer.py",
    "pipeline/entities/risks.py",
    "pipeline/expiry.py",
    "pipeline/first_seen.py",
    "pipeline/headroom.py",
    "pipeline/history.py",
    "pipeline/history_bytes.py",
    "pipeline/ids.py",
    "pipeline/learned/waiting.py",
    "pipeline/log.py",
    "pipeline/messages.py",
    "pipeline/partition.py",
    "pipeline/partitioning.py",
    "pipeline/plain.py",
    "pipeline/plan.py",
    "pipeline/plans.py",
    "pipeline/points/live.py",
    "pipeline/points/steps.py",
    "pipeline/reversals.py",
    "pipeline/reviews.py",
    "pipeline/rules/__init__.py",
    "pipeline/rules/account_frozen.py",
    "pipeline/rules/account_takeover.py",
    "pipeline/rules/amount_outlier.py",
    "pipeline/rules/burst.py",
    "pipeline/rules/card_testing.py",
    "pipeline/rules/circular_flow.py",
    "pipeline/rules/dormant_account.py",
    "pipeline/rules/entity_risk.py",
    "pipeline/rules/fan_in.py",
    "pipeline/rules/fan_out.py",
    "pipeline/rules/impossible_travel.py",
    "pipeline/rules/listed.py",
    "pipeline/rules/mule_account.py",
    "pipeline/rules/new_category.py",
    "pipeline/rules/new_country.py",
    "pipeline/rules/new_device.py",
    "pipeline/rules/new_payee.py",
    "pipeline/rules/odd_hour.py",
    "pipeline/rules/pass_through.py",
    "pipeline/rules/per_transaction.py",
    "pipeline/rules/points.py",
    "pipeline/rules/recent.py",
    "pipeline/rules/refund_abuse.py",
    "pipeline/rules/retroactive.py",
    "pipeline/rules/round_amounts.py",
    "pipeline/rules/structuring.py",
    "pipeline/rules/velocity.py",
    "pipeline/sight.py",
    "pipeline/signals.py",
    "pipeline/tally.py",
    "pipeline/timeline.py",
    "pipeline/transactions.py",
    "pipeline/validate.py",
    "pipeline/varint.py",
    "pipeline/verdict.py",
    "pipeline/whitelist/allowances.py",
    "pipeline/whitelist/conduct.py",
    "pipeline/whitelist/deadlines.py",
    "pipeline/whitelist/dossier.py",
    "pipeline/whitelist/dossier_bytes.py",
    "pipeline/whitelist/on_time.py",
    "pipeline/whitelist/profile.py",
    "pipeline/whitelist/restart.py",
    "pipeline/whitelist/review.py",
    "pipeline/whitelist/sweeping.py",
    "pipeline/whitelist/tiers.py",
    "schemas/cloudevents.py",
    "schemas/codec.py",
    "schemas/timestamps.py",
)

extensions: list[Extension] = []
if os.environ.get("TIERWATCH_COMPILE") == "1":
    from mypyc.build import mypycify

    # The compiler's -O: a test, which wants it soon, asks for less.
    level = os.environ.get("TIERWATCH_COMPILE_LEVEL", "2")
    extensions = mypycify(["--follow-imports=silent", *HOT], opt_level=level, debug_level="0")

setup(ext_modules=extensions)
