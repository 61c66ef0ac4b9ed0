"""How fast the pipeline alone judges: one core, the default policy, five tiers, skewed customers, base-tier signals."""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from random import Random
from statistics import median
from typing import Any

from load_tests.alone import Alone
from load_tests.city import Approvers, trusting_policy
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.model import Tier
from pipeline.record import InputRecord
from schemas.codec import encode
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms
from schemas.transaction import Transaction

_START_MS = parse_ms("2026-03-01T00:00:00Z")
_DAYS = 30
# The mean customer pays so often in that time; a month of 200,000 payments has 10,000 customers.
_PAYMENTS_EACH = 20
# The k-th busiest customer pays in proportion to 1 / k^0.6: of 10,000 the busiest 2,000 times a month, the median 12.
_SKEW = 0.6
_TIER_SHARES = (0.6, 0.15, 0.1, 0.1, 0.05)
_BATCH = 1_000


def judge(transactions: int, seed: int) -> dict[str, Any]:
    """Return what was measured, after a warm-up of a quarter of the transactions."""
    yaml = default_yaml()
    approvers = Approvers(load_policy(yaml), seed)
    policy = load_policy(trusting_policy(yaml, approvers))
    rng = Random(seed)
    tiers = rng.choices(policy.tiers, _TIER_SHARES, k=max(1, transactions // _PAYMENTS_EACH))
    alone = Alone(policy)
    granted = alone.take(list(_grants(tiers, approvers)))
    refused = sum(b'"result":"refused"' in (message.value or b"") for message in granted)
    records = list(_payments(rng, transactions, len(tiers)))
    warm = len(records) // 4 // _BATCH * _BATCH
    _take(alone, records[:warm])
    alone.restart_watch()
    topics = _take(alone, records[warm:])
    measured = len(records) - warm
    sizes = [len(state) for state in alone.windows.values()]
    return {
        "transactions": measured,
        "decisions": topics["decisions"],
        "transactions_per_second": round(measured / alone.cpu_seconds),
        "microseconds_per_transaction": round(alone.cpu_seconds / measured * 1e6, 2),
        "alert_share": round(topics["alerts"] / measured, 5),
        "grants_refused": refused,
        "state_bytes_median": median(sizes),
        "state_bytes_largest": alone.largest_record_bytes,
        "state_bytes_written_per_transaction": round(alone.written_bytes / measured, 1),
    }


def _take(alone: Alone, records: list[InputRecord]) -> Counter[str]:
    topics: Counter[str] = Counter()
    for first in range(0, len(records), _BATCH):
        topics.update(message.topic for message in alone.take(records[first : first + _BATCH]))
    return topics


def _grants(tiers: list[Tier], approvers: Approvers) -> Iterator[InputRecord]:
    granted_ms = _START_MS - MS_PER_DAY
    for number, tier in enumerate(tiers):
        if tier.review is not None:
            fields = {
                "event_type": "admission.approved",
                "event_id": f"grant-{number}",
                "customer_id": f"customer-{number}",
                "occurred_at": format_ms(granted_ms),
                "tier": tier.name,
                "evidence": [{"kind": "interview", "reference": "file-1", "issued_at": format_ms(granted_ms)}],
                "review_at": format_ms(granted_ms + tier.review.every_ms),
                "expires_at": format_ms(granted_ms + tier.grant_ms),
            }
            value = approvers.sign(fields, tier.approvals)
            yield InputRecord("customer-events", 0, number, granted_ms, f"customer-{number}".encode(), value)


def _payments(rng: Random, count: int, customers: int) -> Iterator[InputRecord]:
    weights = list(accumulate((number + 1) ** -_SKEW for number in range(customers)))
    for offset, number in enumerate(rng.choices(range(customers), cum_weights=weights, k=count)):
        occurred_ms = _START_MS + offset * _DAYS * MS_PER_DAY // count
        customer_id = f"customer-{number}"
        kind = rng.random()
        transaction = Transaction(
            transaction_id=f"payment-{offset}",
            customer_id=customer_id,
            occurred_at=format_ms(occurred_ms),
            amount=int(rng.lognormvariate(8.3, 1.2)),
            currency="USD",
            transaction_type="purchase" if kind < 0.9 else "transfer" if kind < 0.95 else "withdrawal",  # noqa: PLR2004
            source="card-network",
            card_token=f"card-{number}",
            merchant_id=f"merchant-{rng.randrange(5_000)}",
            mcc="5411",
            terminal_id=f"terminal-{rng.randrange(20_000)}",
            country="US",
            device_id=f"phone-{number}" if kind < 0.3 else "",  # noqa: PLR2004
            payee_id=f"payee-{number}-{rng.randrange(4)}" if 0.9 <= kind < 0.95 else "",  # noqa: PLR2004
        )
        yield InputRecord("transactions", 0, offset, occurred_ms + 200, customer_id.encode(), encode(transaction))
