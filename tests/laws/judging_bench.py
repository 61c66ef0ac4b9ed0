"""One partition of the pipeline with its states in memory, and what it says in the words of the oracle."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from pipeline.books import Books
from pipeline.partition import Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import InputRecord, Message
from pipeline.whitelist.dossier import Dossier, Grant
from pipeline.whitelist.restart import state_of
from tests.laws.judging_oracle import Expected

# A customer's tier, and the first moment without it.
Grants = Mapping[str, tuple[str, int]]
# What a decision is about, and what no oracle need compute: names and numbers of what decided.
_PASSED_ON = {"decision_id", "transaction_id", "source", "customer_id", "policy_version", "policy_hash"}
_OPTIONAL = {"retroactive_breach": None, "reversal": None, "cooled": False}


@cache
def _policy(text: str) -> Policy:
    return load_policy(text.encode())


class Bench:
    """States stand in dictionaries, as an engine would keep them; `cached` customers stay live between batches."""

    def __init__(self, policy: str, grants: Grants, cached: int = 20_000) -> None:
        self.books = Books(PolicyBook(_policy(policy)), Rates())
        self.windows: dict[bytes, bytes] = {}
        self.dossiers = {name.encode(): dossier(name, tier, until) for name, (tier, until) in grants.items()}
        self.largest = 0
        self._cached = cached
        self.restart()

    def restart(self) -> None:
        """Go on with nothing but the states."""
        self.partition = Partition(0, None, self.books, self.windows.get, self.dossiers.get, self._cached)

    def take(self, records: Sequence[InputRecord]) -> list[Message]:
        messages = self.partition.take(records)
        changes = self.partition.changes()
        for changed, states in ((changes.windows, self.windows), (changes.dossiers, self.dossiers)):
            for key, state in changed.items():
                if state is None:
                    del states[key]
                else:
                    states[key] = state
                    self.largest = max(self.largest, len(state))
        return messages

    def state(self) -> dict[bytes, bytes]:
        return {**self.windows, **{b"dossier " + key: state for key, state in self.dossiers.items()}}


def dossier(customer_id: str, tier: str, until: int) -> bytes:
    grant = Grant(tier, "e-1", ("ana",), (), until - 2, until, until - 1, until, (until,))
    state = state_of(customer_id, Dossier(grant))
    assert state is not None
    return state


def run(
    policy: str, grants: Grants, records: Sequence[InputRecord], borders: Iterable[int] = (), cached: int = 20_000
) -> tuple[list[Message], dict[bytes, bytes]]:
    """Everything said and everything kept; batches begin at 0 and at each border."""
    bench = Bench(policy, grants, cached)
    messages: list[Message] = []
    begin = 0
    for end in (*sorted(borders), len(records)):
        messages += bench.take(records[begin:end])
        begin = end
    return messages, bench.state()


class Told(NamedTuple):
    """What one record led to; `decision` in the words of the oracle, `evidence` beside it."""

    outcome: str
    decision: dict[str, Any]
    evidence: dict[tuple[str, bool], dict[str, Any]]
    asked: tuple[str, ...]


def told(messages: Sequence[Message]) -> Told:
    if not messages:
        return Told("duplicate", {}, {}, ())
    first, *others = messages
    if first.topic == "dead-letters":
        assert others == []
        return Told(dict(first.headers)["reason"].decode(), {}, {}, ())
    assert first.topic == "decisions"
    assert first.value is not None
    whole = json.loads(first.value)
    decision = {name: value for name, value in whole.items() if name not in _PASSED_ON}
    evidence = {}
    for signal in decision["signals"]:
        evidence[signal["rule"], signal.get("retroactive", False)] = signal.pop("evidence")
    for name in ("signals", "base_tier_signals"):
        decision[name] = [{"window": "", "retroactive": False, "at": "", **signal} for signal in decision[name]]
    return Told("decided", {**_OPTIONAL, **decision}, evidence, tuple(each.topic for each in others))


def assert_same(now: Told, expected: Expected) -> None:
    assert (now.outcome, now.asked) == (expected.outcome, expected.asked)
    if expected.outcome != "decided":
        return
    decision = now.decision
    breach = decision["retroactive_breach"]
    if breach is not None:
        assert breach in [
            {name: signal[name] for name in ("rule", "at", "observed", "limit")}
            for signal in decision["signals"]
            if signal["retroactive"]
        ]
        decision = {**decision, "retroactive_breach": breach["at"]}
    assert _sorted(decision) == _sorted(expected.decision)
    assert now.evidence.keys() == expected.evidence.keys()
    for place, evidence in expected.evidence.items():
        assert evidence.fits(now.evidence[place]), (place, evidence, now.evidence[place])


def _sorted(decision: dict[str, Any]) -> dict[str, Any]:
    """No order of signals is promised beyond being the same each time."""
    ordered = {
        name: sorted(decision[name], key=lambda signal: (signal["rule"], signal["retroactive"]))
        for name in ("signals", "base_tier_signals")
    }
    return {**decision, **ordered}
