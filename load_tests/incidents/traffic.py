"""What flows while things break: payments of two processors, a few a second, and what a fault makes of them."""

import itertools
import threading
import time
from collections.abc import Mapping

from agents.publisher import Publisher
from load_tests.chaos.traffic import Signers
from load_tests.city import trusting_policy
from pipeline.policy.load import default_yaml, load_policy, policy_digest
from schemas.codec import encode
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms
from schemas.transaction import Transaction

# By processor, each second.
RATES = {"card-network": 20, "atm-network": 10}
_POISON_RATE = 5
_STEP_S = 0.1
_SMALL_MINOR, _HUGE_MINOR = 2_000, 10_000_000
_PATIENCE_S = 600.0
# One payment that is far too large wakes somebody: the default policy leaves that to the morning.
_MILD, _HARSH = b"{mode: live, points: 75, severity: high,", b"{mode: live, points: 95, severity: critical,"
# The base tier's first limit, so low that each payment breaks it.
_LIMIT, _WILD = b"amount_per_transaction: 1500\n", b"amount_per_transaction: 1\n"


class Traffic(threading.Thread):
    """Publishes until `stop`. `silent` processors send nothing; with `poisoned`, what nobody can read comes, too."""

    def __init__(self, broker: str) -> None:
        super().__init__(daemon=True)
        self.silent: set[str] = set()
        self.poisoned = False
        self._publisher = Publisher({"bootstrap.servers": broker}, _PATIENCE_S)
        self._lock = threading.Lock()
        self._ids = itertools.count()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Publish at a steady rate; what an outage held up is not made good."""
        owed = dict.fromkeys([*RATES, ""], 0.0)
        last = time.monotonic()
        while not self._stopping.wait(_STEP_S):
            now = time.monotonic()
            passed_s, last = min(now - last, 1.0), now
            for source, rate in {**RATES, "": _POISON_RATE}.items():
                owed[source] += rate * passed_s
                due = int(owed[source])
                owed[source] -= due
                for _ in range(due):
                    self._one(source)

    def _one(self, source: str) -> None:
        if source and source not in self.silent:
            self.payment(source)
        elif not source and self.poisoned:
            self.publish("transactions", f"c-{next(self._ids)}", b"no JSON")

    def payment(self, source: str, customer: str = "", amount: int = _SMALL_MINOR) -> None:
        """Publish one; without a customer, of somebody new."""
        number = next(self._ids)
        payment = Transaction(
            transaction_id=f"t-{number}",
            source=source,
            customer_id=customer or f"c-{number}",
            occurred_at=format_ms(_now_ms()),
            amount=amount,
            currency="USD",
            transaction_type="purchase",
            merchant_id=f"m-{number}",
        )
        self.publish("transactions", payment.customer_id, encode(payment))

    def huge(self) -> None:
        """Publish a payment that somebody is woken for."""
        self.payment("card-network", amount=_HUGE_MINOR)

    def publish(self, topic: str, key: str, value: bytes) -> None:
        """Publish anything, from any thread."""
        with self._lock:
            self._publisher.publish(topic, key.encode(), value, _now_ms())

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        self.join()


class Office:
    """The people who grant tiers and change the policy, and the first policy, which knows them."""

    def __init__(self, seed: int = 1) -> None:
        harsh = default_yaml().replace(_MILD, _HARSH)
        self._signers = Signers(load_policy(harsh), seed)
        self.yaml = trusting_policy(harsh, self._signers)
        self._first = load_policy(self.yaml)
        self._version = self._first.version
        self._ids = itertools.count()

    def changed(self, effective_ms: int, *, wild: bool = False) -> list[bytes]:
        """Return the proposal of the first policy's next version and its approvals; a `wild` one alerts at anything."""
        self._version += 1
        yaml = self.yaml.replace(b"version: %d " % self._first.version, b"version: %d " % self._version, 1)
        yaml = yaml.replace(_LIMIT, _WILD) if wild else yaml
        proposal = {"version": self._version, "base_digest": self._first.digest, "yaml": yaml.decode()}
        approval = {"digest": policy_digest(yaml), "effective_from": format_ms(effective_ms)}
        return [self._said(0, "policy.proposed", proposal), *self._by_all("policy.approved", approval)]

    def rolled_back(self) -> list[bytes]:
        """Return the signatures for going back to the first policy."""
        fields = {"digest": self._first.digest, "effective_from": format_ms(_now_ms())}
        return self._by_all("policy.rolled_back", fields)

    def _by_all(self, kind: str, fields: Mapping[str, object]) -> list[bytes]:
        return [self._said(person, kind, fields) for person in range(1, 1 + self._first.policy_approvals)]

    def _said(self, person: int, kind: str, fields: Mapping[str, object]) -> bytes:
        common = {"event_type": kind, "policy": self._first.name, "occurred_at": format_ms(_now_ms())}
        return self._signers.signed_by(person, {**common, **fields, "event_id": f"p-{next(self._ids)}"})

    @property
    def policy(self) -> str:
        """The name of the policy, which its events are keyed by."""
        return self._first.name

    def grant(self, customer: str, review_in_s: float) -> bytes:
        """Return an admission whose review is due so soon."""
        tier = next(tier for tier in self._first.tiers if tier.review is not None)
        now_ms = _now_ms()
        fields = {
            "event_type": "admission.approved",
            "event_id": f"e-{next(self._ids)}",
            "customer_id": customer,
            "occurred_at": format_ms(now_ms),
            "tier": tier.name,
            "evidence": [
                {"kind": kind, "reference": "file-1", "issued_at": format_ms(now_ms - MS_PER_DAY)}
                for kind in ("identity", "screening")
            ],
            "review_at": format_ms(now_ms + int(review_in_s * 1_000)),
            "expires_at": format_ms(now_ms + tier.grant_ms),
        }
        return self._signers.sign(fields, tier.approvals)


def in_an_hour_ms(share: float = 1.0) -> int:
    """Return a moment within the next hour, epoch milliseconds."""
    return _now_ms() + int(MS_PER_HOUR * share)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
