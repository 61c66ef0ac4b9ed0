"""What a house publishes while it breaks: both lanes, repeats, reversals, broken records, grants, and a new policy."""

import time
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from load_tests.city import Approvers, trusting_policy
from load_tests.city.chance import happens
from pipeline.policy.load import default_yaml, load_policy, policy_digest
from pipeline.policy.model import ReviewTerms, Tier
from pipeline.record import InputRecord
from schemas.codec import encode
from schemas.customer_event import DeviceRegistered
from schemas.signing import canonical
from schemas.timestamps import MS_PER_DAY, format_ms
from schemas.topics import TRANSACTION_TOPICS
from schemas.transaction import Transaction

_PAYMENTS_EACH = 40
_PRIORITY = 0.3
_TOLD_TWICE = 0.02
_REVERSED = 0.02
_BROKEN = 0.005
_NEW_PHONE = 0.01
_GRANT = 0.005
_LATE_MS = 30_000
_REMEMBERED = 2_000
_BROKEN_VALUES = (b"", b"\xff", b"no JSON", b"{}", b'{"transaction_id": 1}')


class Signers(Approvers):
    """The people of the policy, who also change it."""

    def signed_by(self, number: int, fields: dict[str, Any]) -> bytes:
        """Return an event of these fields, signed by one of them."""
        name = list(self.public_keys())[number]
        told = {**fields, "actor": name}
        return msgspec.json.encode(told | {"signature": self._signature(name, canonical(told))})


class Traffic:
    """`transactions` records on the two lanes, and what else happens. Times are now; all else follows from the seed."""

    def __init__(self, transactions: int, seed: int) -> None:
        yaml = default_yaml()
        self._signers = Signers(load_policy(yaml), seed)
        self.policy_yaml = trusting_policy(yaml, self._signers)
        self.policy = load_policy(self.policy_yaml)
        self.transactions = transactions
        self._rng = Random(seed)
        self._customers = max(10, transactions // _PAYMENTS_EACH)
        self._granted: list[tuple[Tier, ReviewTerms]] = [
            (tier, tier.review) for tier in self.policy.tiers if tier.review is not None
        ]
        self._minted = 0

    def records(self) -> Iterator[InputRecord]:
        """Yield what is to be published, in this order."""
        rng = self._rng
        told: deque[tuple[InputRecord, Transaction]] = deque(maxlen=_REMEMBERED)
        lanes = 0
        new_policy = False
        while lanes < self.transactions:
            if not new_policy and lanes > self.transactions // 3:
                new_policy = True
                yield from self._new_policy()
            if happens(rng, _NEW_PHONE):
                yield self._phone()
            if happens(rng, _GRANT):
                yield self._grant()
            yield from (transactions := list(self._transactions(told)))
            lanes += len(transactions)

    def _transactions(self, told: deque[tuple[InputRecord, Transaction]]) -> Iterator[InputRecord]:
        rng = self._rng
        payment = self._payment()
        record = self._record(payment)
        told.append((record, payment))
        yield record
        if happens(rng, _TOLD_TWICE):
            # On any lane: whoever tells again may have learnt of the entitlement meanwhile.
            yield rng.choice(told)[0]._replace(topic=self._lane())
        if happens(rng, _REVERSED):
            yield self._record(self._reversal(rng.choice(told)[1]))
        if happens(rng, _BROKEN):
            yield record._replace(value=rng.choice(_BROKEN_VALUES))

    def _payment(self) -> Transaction:
        rng = self._rng
        number = int(self._customers * rng.random() ** 2)
        return Transaction(
            transaction_id=self._id("t"),
            source="card-network",
            customer_id=f"customer-{number}",
            occurred_at=format_ms(_now_ms() - int(rng.expovariate(1 / _LATE_MS))),
            amount=int(rng.lognormvariate(8.3, 1.2)),
            currency="USD",
            transaction_type=rng.choices(("purchase", "transfer", "withdrawal"), (90, 5, 5))[0],
            device_id=f"phone-{number}",
            merchant_id=f"merchant-{rng.randrange(500)}",
            country="US",
        )

    def _reversal(self, original: Transaction) -> Transaction:
        return msgspec.structs.replace(
            original,
            transaction_id=self._id("r"),
            transaction_type="reversal",
            occurred_at=format_ms(_now_ms()),
            original_transaction_id=original.transaction_id,
            original_occurred_at=original.occurred_at,
        )

    def _phone(self) -> InputRecord:
        customer_id = f"customer-{self._rng.randrange(self._customers)}"
        event = DeviceRegistered(
            event_id=self._id("e"),
            customer_id=customer_id,
            occurred_at=format_ms(_now_ms()),
            actor="online-bank",
            device_id=self._id("phone"),
        )
        return InputRecord("customer-events", 0, 0, _now_ms(), customer_id.encode(), encode(event))

    def _grant(self) -> InputRecord:
        tier, review = self._rng.choice(self._granted)
        customer_id = f"customer-{self._rng.randrange(self._customers)}"
        now_ms = _now_ms()
        fields = {
            "event_type": "admission.approved",
            "event_id": self._id("e"),
            "customer_id": customer_id,
            "occurred_at": format_ms(now_ms),
            "tier": tier.name,
            "evidence": [{"kind": "identity", "reference": "file-1", "issued_at": format_ms(now_ms - MS_PER_DAY)}],
            "review_at": format_ms(now_ms + min(review.every_ms, tier.grant_ms // 2)),
            "expires_at": format_ms(now_ms + tier.grant_ms),
        }
        value = self._signers.sign(fields, tier.approvals)
        return InputRecord("customer-events", 0, 0, now_ms, customer_id.encode(), value)

    def _new_policy(self) -> Iterator[InputRecord]:
        """Yield a proposal and its approvals: the next version, which says the same."""
        old = self.policy
        version = old.version + 1
        yaml = self.policy_yaml.replace(b"version: %d " % old.version, b"version: %d " % version, 1)
        now = format_ms(_now_ms())
        common = {"policy": old.name, "occurred_at": now}
        proposal = {"version": version, "base_digest": old.digest, "yaml": yaml.decode()}
        yield self._policy_event(0, {"event_type": "policy.proposed", **common, **proposal})
        for person in range(1, 1 + old.policy_approvals):
            approval = {"digest": policy_digest(yaml), "effective_from": now}
            yield self._policy_event(person, {"event_type": "policy.approved", **common, **approval})

    def _policy_event(self, person: int, fields: dict[str, Any]) -> InputRecord:
        value = self._signers.signed_by(person, {**fields, "event_id": self._id("p")})
        return InputRecord("policies", 0, 0, _now_ms(), self.policy.name.encode(), value)

    def _record(self, transaction: Transaction) -> InputRecord:
        return InputRecord(self._lane(), 0, 0, _now_ms(), transaction.customer_id.encode(), encode(transaction))

    def _lane(self) -> str:
        return TRANSACTION_TOPICS[happens(self._rng, _PRIORITY)]

    def _id(self, kind: str) -> str:
        self._minted += 1
        return f"{kind}-{self._minted}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
