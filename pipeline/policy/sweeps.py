"""Causes that are nobody's own: a policy was tightened, a screening list changed, and all whom it touches are due.

Their reviews are spread over days, each at a moment of its own, so that not all are due at once.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from pipeline.policy.diff import Change, tightened
from pipeline.policy.model import Policy
from pipeline.turns import share_ms
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

Why = Literal["policy_tightened", "screening_list_changed", "attestation_revoked"]
# Over so long the reviews that one sweep asks for are spread. Few hold what was revoked, and those should not for long.
SPREAD_MS: Final[dict[Why, int]] = {
    "policy_tightened": 7 * MS_PER_DAY,
    "screening_list_changed": 7 * MS_PER_DAY,
    "attestation_revoked": MS_PER_HOUR,
}


class Sweep(NamedTuple):
    """From `effective_ms` on, grants of `tier` (of any, where empty) are due for review, as far as they are older.

    `name` is the policy's version, or that of the list, or the issuer's; `check` says what to look at: terms that were
    tightened, a kind of evidence, or the attestations that are revoked.
    """

    why: Why
    effective_ms: int
    tier: str
    name: str
    check: tuple[str, ...]


class Sweeps:
    """All sweeps of a history of policies and lists; what two versions differ in is looked at once."""

    def __init__(self) -> None:
        """None yet."""
        self._tightened: dict[tuple[str, str], Mapping[str, tuple[Change, ...]]] = {}

    def of(self, history: Iterable[tuple[int, Policy]], told: Iterable[Sweep]) -> tuple[Sweep, ...]:
        """Those told, and every tightening there was, is or will be; going back to a stricter version is one, too."""
        found = [
            Sweep("policy_tightened", since_ms, tier, str(new.version), tuple(dict.fromkeys(one.field for one in each)))
            for (_, old), (since_ms, new) in pairwise(history)
            for tier, each in self._between(old, new).items()
        ]
        return (*found, *told)

    def _between(self, old: Policy, new: Policy) -> Mapping[str, tuple[Change, ...]]:
        key = old.digest, new.digest
        if key not in self._tightened:
            self._tightened[key] = tightened(old, new)
        return self._tightened[key]


def begins_ms(customer_id: str, sweep: Sweep) -> int:
    """When one customer's turn has come: a moment within the spread, the same share of it for every sweep."""
    return sweep.effective_ms + share_ms(customer_id, SPREAD_MS[sweep.why])


def revoked(sweeps: Iterable[Sweep], at_ms: int) -> frozenset[str]:
    """The attestations that were taken back by a moment."""
    gone = (sweep for sweep in sweeps if sweep.why == "attestation_revoked" and sweep.effective_ms <= at_ms)
    return frozenset(reference for sweep in gone for reference in sweep.check)
