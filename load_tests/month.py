"""A month of payments of customers of five tiers, by signed admissions, the busy ones far busier than the others."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random

from load_tests.city import Approvers, trusting_policy
from pipeline.policy.load import default_yaml, load_policy
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


class Month:
    """The same number of payments and the same seed are the same month, byte for byte."""

    def __init__(self, payments: int, seed: int) -> None:
        yaml = default_yaml()
        self._approvers = Approvers(load_policy(yaml), seed)
        self.policy_yaml = trusting_policy(yaml, self._approvers)
        self.policy = load_policy(self.policy_yaml)
        self._count = payments
        self._rng = Random(seed)
        self._tiers = self._rng.choices(self.policy.tiers, _TIER_SHARES, k=max(1, payments // _PAYMENTS_EACH))

    def grants(self) -> Iterator[InputRecord]:
        """Yield the admissions of all above the base tier, of the day before."""
        granted_ms = _START_MS - MS_PER_DAY
        for number, tier in enumerate(self._tiers):
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
                value = self._approvers.sign(fields, tier.approvals)
                yield InputRecord("customer-events", 0, number, granted_ms, f"customer-{number}".encode(), value)

    def payments(self) -> Iterator[InputRecord]:
        """Yield the payments by their times; once only."""
        rng, count, customers = self._rng, self._count, len(self._tiers)
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
