"""What a decision must say about limits, told the slow way: all of history as it arrived, in Decimal, each time anew.

It reads the messages' JSON itself and shares no code with what it judges.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.laws.judging_memory import EXACT, HOUR, KNOWN, ZERO, Customer, Payment, content_of, reverse, see, stamp
from tests.laws.judging_policy import EXPONENTS, OUTCOMES, Rule, read_policy
from tests.laws.oracle import Night, Oracle, moment_of, to_datetime

NEWEST = 9
# What one payment can be in the base currency, whatever currency it was made in.
LARGEST = 10**13


class Evidence(NamedTuple):
    """Entries of a window by time, ties by arrival, `own` among them, judged at `until`; `now` is the arrival."""

    entries: list[Payment]
    own: Payment
    until: int
    now: int

    def fits(self, told: Mapping[str, Any]) -> bool:
        """What is older than 48 h may be told by its quarter-hour, and without its name."""
        others = [entry for entry in self.entries if entry is not self.own]
        known = [entry for entry in others[-NEWEST:] if entry.moment > self.now - KNOWN]
        ids = list(told["transaction_ids"])
        newest = [self.own, *others[len(others) - len(ids) + 1 :]]
        return (
            told["count"] == len(self.entries)
            and told["sum_minor"] == sum((entry.worth(self.until) for entry in self.entries), ZERO)
            and len(known) + 1 <= len(ids) <= NEWEST + 1
            and ids == [entry.id for entry in self.entries if entry in newest]
            and told["first"] in self._times(self.entries[0].moment)
            and told["last"] in self._times(self.entries[-1].moment)
        )

    def _times(self, moment: int) -> set[str]:
        told = {stamp(moment)}
        if moment <= self.now - KNOWN:
            told.add(stamp(moment // (HOUR // 4) * (HOUR // 4)))
        return told


class Expected(NamedTuple):
    """`outcome`: decided, duplicate or the reason of the dead letter. `asked`: which other topics hear of it."""

    outcome: str
    decision: dict[str, Any]
    # By rule and whether it is retroactive; of the customer's own tier only.
    evidence: Mapping[tuple[str, bool], Evidence] = MappingProxyType({})
    asked: tuple[str, ...] = ()


class Judge:
    """Takes records in the order of their arrival. `grants` names each customer's tier, and until when."""

    def __init__(self, policy_text: str, grants: Mapping[str, tuple[str, int]]) -> None:
        self.policy = read_policy(policy_text)
        self.grants = grants
        self.rates: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(dict)
        self.customers: dict[str, Customer] = defaultdict(Customer)

    def rate(self, value: bytes) -> None:
        told = json.loads(value)
        day = date.fromisoformat(told["date"])
        self.rates[told["currency"], told["base_currency"]][day] = Decimal(told["rate"])

    def event(self, value: bytes, arrival: int) -> None:
        told = json.loads(value)
        customer = self.customers[told["customer_id"]]
        since = max(moment_of(told["occurred_at"]), arrival - self.policy.lateness)
        if told["event_type"] == "account.frozen":
            customer.frozen = True
        elif told["event_type"] == "payee.added":
            see(customer.payees, told["payee_id"], since)
        else:
            see(customer.devices, told["device_id"], since)

    def transaction(self, value: bytes, arrival: int, lane: str) -> Expected:
        told = json.loads(value)
        customer = self.customers[told["customer_id"]]
        moment = moment_of(told["occurred_at"])
        if arrival - moment > self.policy.lateness:
            return Expected("too_late", {})
        if moment - arrival > self.policy.skew:
            return Expected("from_the_future", {})
        seen = customer.known(told["source"], told["transaction_id"], arrival)
        content = content_of(told)
        if seen is not None:
            return Expected("duplicate" if seen.content == content else "conflicting_duplicate", {})
        kind = told["transaction_type"]
        amount = Decimal(told["amount"])
        base = ZERO if kind == "reversal" else self._convert(amount, told["currency"], moment)
        if base is None:
            return Expected("no_rate", {})
        if max(base, amount if kind == "reversal" else base) > LARGEST:
            return Expected("absurd_amount", {})
        declined = told.get("status") == "declined"
        own = Payment(
            moment, told["transaction_id"], told["source"], kind, declined, told["currency"], amount,
            ZERO if declined else base, content,
        )  # fmt: skip
        expected = self._judge(customer, own, base, told, arrival, lane)
        if kind == "reversal":
            expected.decision["reversal"] = reverse(customer, own, told["original_transaction_id"], arrival)
        customer.payments.append(own)
        if not declined:
            see(customer.payees, told.get("payee_id", ""), moment)
            see(customer.devices, told.get("device_id", ""), moment)
        return expected

    def _convert(self, amount: Decimal, currency: str, moment: int) -> Decimal | None:
        base = self.policy.currency
        if currency == base:
            return amount
        today = to_datetime(moment).date()
        dated = [day for day in self.rates[currency, base] if day <= today]
        if not dated or today - max(dated) > timedelta(milliseconds=self.policy.rate_max_age):
            return None
        major = EXACT.multiply(amount.scaleb(-EXPONENTS[currency], EXACT), self.rates[currency, base][max(dated)])
        return major.scaleb(EXPONENTS[base], EXACT).quantize(Decimal(1), ROUND_HALF_EVEN, EXACT)

    def _judge(
        self, customer: Customer, own: Payment, base: Decimal, told: dict[str, Any], arrival: int, lane: str
    ) -> Expected:
        policy = self.policy
        tier, until = self.grants.get(told["customer_id"], (policy.tiers[0], arrival + 1))
        if arrival >= until:
            tier = policy.tiers[0]
        signals: list[dict[str, Any]] = []
        base_signals: list[dict[str, Any]] = []
        evidence: dict[tuple[str, bool], Evidence] = {}
        for rule in policy.rules:
            if own.kind not in rule.types:
                continue
            looked = self._look(customer, own, base, rule, told)
            for name, found in ((tier, signals), (policy.tiers[0], base_signals)):
                breach = looked.breach(policy.limits[name][rule.name])
                if breach is None:
                    continue
                found.append(_signal(rule, breach, policy.limits[name][rule.name]))
                if found is signals:
                    evidence[rule.name, breach.late] = Evidence(breach.entries, own, breach.at, arrival)
        decision: dict[str, Any] = {
            "occurred_at": stamp(own.moment),
            "arrived_at": stamp(arrival),
            "tier": tier,
            "lane": lane,
            "signals": signals,
            "base_tier_signals": [] if tier == policy.tiers[0] else base_signals,
            "retroactive_breach": min((signal["at"] for signal in signals if signal["retroactive"]), default=None),
            "reversal": None,
        }
        asked = self._weigh(customer, signals, decision, arrival)
        return Expected("decided", decision, evidence, asked)

    def _look(self, customer: Customer, own: Payment, base: Decimal, rule: Rule, told: dict[str, Any]) -> "_Looked":
        if rule.name == "account_frozen":
            return _Looked(own, own=Decimal(int(customer.frozen)))
        if rule.window is not None:
            counted = [payment for payment in customer.payments if payment.kind in rule.types]
            return _Looked(own, rule=rule, counted=counted, windows=self.policy.windows)
        if own.declined:
            return _Looked(own, own=ZERO)
        if rule.name == "amount_per_transaction":
            return _Looked(own, own=base)
        seen, entity = (
            (customer.payees, told.get("payee_id"))
            if rule.name == "new_payee_amount"
            else (customer.devices, told.get("device_id"))
        )
        if not entity:
            return _Looked(own, own=ZERO)
        new = entity not in seen or own.moment - seen[entity] < rule.new_for
        return _Looked(own, own=base if new else ZERO)

    def _weigh(
        self, customer: Customer, signals: list[dict[str, Any]], decision: dict[str, Any], arrival: int
    ) -> tuple[str, ...]:
        policy = self.policy
        rules = {rule.name: rule for rule in policy.rules}
        live = [rules[signal["rule"]] for signal in signals if signal["mode"] == "live"]
        score = max((rule.points for rule in live), default=0) + max(0, min(len(live) - 1, 9))
        outcome = max([policy.band(score), *(rule.floor for rule in live)])
        decision.update(score=score, outcome=OUTCOMES[outcome], cooled=False)
        action = policy.actions[outcome]
        asked = [
            topic
            for topic, wanted in (
                ("alerts", action["alert"]),
                ("re-reviews", action["re_review"]),
                ("account-actions", action.get("account_action")),
            )
            if wanted
        ]
        if not live or not asked:
            return ()
        for rule in live:
            begun, reached = customer.alerted.get(rule.name, (0, -1))
            if outcome > reached or arrival - begun >= rule.cool_down:
                customer.alerted.update({each.name: (arrival, outcome) for each in live})
                return tuple(asked)
        decision["cooled"] = True
        return ()


class _Breach(NamedTuple):
    at: int
    observed: Decimal
    entries: list[Payment]
    late: bool
    window: str


class _Looked:
    """What one rule sees: at the moment of the transaction, and at each later one that it still counts for."""

    def __init__(
        self,
        payment: Payment,
        *,
        own: Decimal = ZERO,
        rule: Rule | None = None,
        counted: Iterable[Payment] = (),
        windows: Oracle | None = None,
    ) -> None:
        self.payment = payment
        self.moments = [(payment.moment, [payment], ZERO, own)]
        self.window = ""
        if rule is None or rule.window is None or windows is None:
            return
        self.window = "night" if isinstance(rule.window, Night) else rule.window
        self.moments = []
        counted = list(counted)
        if payment.declined and not rule.counts:
            return
        for moment in sorted({payment.moment, *(each.moment for each in counted if each.moment > payment.moment)}):
            start = windows.start(rule.window, moment)
            if start is None or start > payment.moment:
                if moment == payment.moment:
                    return
                continue
            inside = [each for each in counted if start <= each.moment <= moment]
            entries = sorted([*inside, payment], key=lambda each: each.moment)
            before = Decimal(len(inside)) if rule.counts else sum((each.worth(moment) for each in inside), ZERO)
            self.moments.append((moment, entries, before, before + (1 if rule.counts else payment.base)))

    def breach(self, limit: Decimal) -> _Breach | None:
        for moment, entries, before, after in self.moments:
            late = moment > self.payment.moment
            if after > limit and (not late or before <= limit):
                return _Breach(moment, after, entries, late, self.window)
        return None


def _signal(rule: Rule, breach: _Breach, limit: Decimal) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "mode": rule.mode,
        "severity": rule.severity,
        "points": rule.points,
        "observed": int(breach.observed),
        "limit": int(limit),
        "window": breach.window,
        "retroactive": breach.late,
        "at": stamp(breach.at) if breach.late else "",
    }
