"""What it costs to find who is due for review: among many customers, when few are due, and after a restart."""

import time
from collections.abc import Iterator
from typing import Any

from pipeline.books import Books
from pipeline.partition import MOST_ANNOUNCED, Partition
from pipeline.policy.book import PolicyBook
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.model import Policy, ReviewTerms
from pipeline.rates import Rates
from pipeline.whitelist.dossier import Dossier, Evidence, Grant
from pipeline.whitelist.restart import state_of
from pipeline.whitelist.review import SPREAD_MS, schedule
from schemas.timestamps import MS_PER_DAY, parse_ms

_GRANTED_MS = parse_ms("2026-01-01T00:00:00Z")
# So few have to be due that the difference is theirs, and so many that a clock can see it.
_DUE = 500


def reviews(customers: int) -> dict[str, Any]:
    """Return CPU times with that many customers, and with a hundredth of them.

    `find_due_ms`: a tick that announces 500 reviews; `idle_tick_us`: one with nobody due; `restart_s`: the index made
    anew from all dossiers. Reviews of the others are due later.
    """
    few, many = _measure(max(customers // 100, 2 * _DUE)), _measure(customers)
    return {
        **many,
        **{f"{name}_with_a_hundredth": value for name, value in few.items()},
        "due": _DUE,
        "announced_at_most_in_one_unit": MOST_ANNOUNCED,
    }


def _measure(customers: int) -> dict[str, Any]:
    policy = load_policy(default_yaml())
    states = _States(policy, customers)
    partition = Partition(0, None, Books(PolicyBook(policy), Rates()), lambda _: None, states.get)
    begun = time.process_time()
    partition.restore(states.all())
    restored = time.process_time()
    partition.take((), states.due_by_ms - SPREAD_MS - 1)
    idle = time.process_time()
    messages = partition.take((), states.due_by_ms)
    done = time.process_time()
    requests = sum(message.topic == "re-reviews" for message in messages)
    if requests != _DUE:
        raise RuntimeError(f"{requests} reviews were requested instead of {_DUE}")
    return {
        "customers": customers,
        "restart_s": round(restored - begun, 2),
        "idle_tick_us": round((idle - restored) * 1e6),
        "find_due_ms": round((done - idle) * 1e3, 1),
    }


class _States:
    """Dossiers made when they are asked for: a million of them need no memory, as in a table on disk."""

    def __init__(self, policy: Policy, customers: int) -> None:
        tier = policy.tiers[-1]
        if tier.review is None:
            raise ValueError(f"{tier.name} has no review clock")
        self._customers = customers
        review_ms = _GRANTED_MS + tier.review.every_ms
        self.due_by_ms = review_ms - tier.review.notice_ms
        self._first = _dossier(tier.name, review_ms, tier.review)
        self._later = _dossier(tier.name, review_ms + 30 * MS_PER_DAY, tier.review)

    def get(self, key: bytes) -> bytes | None:
        """Return a dossier's bytes: the first ones are due."""
        return (self._first if int(key[2:]) < _DUE else self._later) if key.startswith(b"c-") else None

    def all(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every customer with a dossier, in no order that helps."""
        for number in range(self._customers):
            key = b"c-%d" % ((number * 7919 + 13) % self._customers)
            yield key, self.get(key) or b""


def _dossier(tier: str, review_ms: int, terms: ReviewTerms) -> bytes:
    expires_ms = _GRANTED_MS + 365 * MS_PER_DAY
    steps = schedule(_GRANTED_MS, review_ms, expires_ms, terms)
    evidence = (Evidence("identity", "file-1", _GRANTED_MS, None),)
    grant = Grant(tier, "grant", ("ana", "ben"), evidence, _GRANTED_MS, expires_ms, review_ms, steps[-1], steps)
    # Nothing of it is at a moment of the customer's own.
    return state_of("c-0", Dossier(grant)) or b""
