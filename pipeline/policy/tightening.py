"""When a policy was tightened, and whom that makes due for review: spread, so that not all are due at once."""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

from pipeline.policy.diff import tightened
from pipeline.policy.versions import Versions
from schemas.timestamps import MS_PER_DAY

# Over so long the reviews that one version asks for are spread.
SPREAD_MS = 7 * MS_PER_DAY


class Tightening(NamedTuple):
    """A version that allows a tier's customers less from `effective_ms` on; `changes` says in words what."""

    effective_ms: int
    version: int
    tier: str
    changes: tuple[str, ...]


def tightenings(versions: Versions, now_ms: int) -> tuple[Tightening, ...]:
    """All that have taken effect by now, oldest first; going back to a stricter version is one, too."""
    begun = [(since_ms, policy) for since_ms, policy in versions.history() if since_ms <= now_ms]
    return tuple(
        Tightening(since_ms, new.version, tier, tuple(map(str, changes)))
        for (_, old), (since_ms, new) in pairwise(begun)
        for tier, changes in tightened(old, new).items()
    )


def cause(tier: str, reviewed_ms: int, known: Iterable[Tightening]) -> Tightening | None:
    """The newest tightening of a tier that a grant given or reviewed at `reviewed_ms` has not seen; None where none."""
    unseen = [one for one in known if one.tier == tier and one.effective_ms > reviewed_ms]
    return max(unseen, key=lambda one: one.effective_ms, default=None)


def due_ms(customer_id: str, tightening: Tightening) -> int:
    """When the review of one customer is requested for it: a moment of its own within the spread, always the same."""
    content = f"{tightening.effective_ms}/{tightening.version}/{customer_id}".encode()
    return tightening.effective_ms + int.from_bytes(blake2b(content, digest_size=8).digest(), "big") % SPREAD_MS
