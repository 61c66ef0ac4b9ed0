"""Which approved version of the policy holds at a moment."""

from bisect import bisect_left, bisect_right

from pipeline.policy.model import Policy

# Before and after all that RFC 3339 can write, and still numbers that compiled code compares in one step.
_SINCE_EVER = -(1 << 61)
_FOR_EVER = 1 << 61


class Versions:
    """Approved versions, going back to an older one included.

    In force at an arrival is the one approved last among those effective by then. So an approval that takes effect
    later never brings back what was approved before something already in force.
    """

    def __init__(self, first: Policy) -> None:
        """Begin with the policy that was in force before any approval."""
        # The version approved last, in force or not yet: what the next one builds on.
        self.head = first
        # Numbers are never used twice, whatever was rolled back.
        self.highest_version = first.version
        self._starts_ms = [_SINCE_EVER]
        self._in_force = [first]

    def at(self, arrival_ms: int) -> Policy:
        """The version in force at an arrival, epoch milliseconds."""
        if arrival_ms >= self._starts_ms[-1]:
            return self._in_force[-1]
        return self._in_force[bisect_right(self._starts_ms, arrival_ms) - 1]

    def history(self) -> list[tuple[int, Policy]]:
        """Every version that was, is or will be in force, and from when; the first from ever."""
        return list(zip(self._starts_ms, self._in_force, strict=True))

    def to_come(self, now_ms: int) -> list[tuple[int, Policy]]:
        """What is approved and not yet in force: from when, and what."""
        begun = bisect_right(self._starts_ms, now_ms)
        return list(zip(self._starts_ms[begun:], self._in_force[begun:], strict=True))

    def reign(self, arrival_ms: int) -> tuple[Policy, int, int]:
        """The version in force at an arrival, and of which arrivals that is so: the first, and the first no more."""
        at = bisect_right(self._starts_ms, arrival_ms)
        until_ms = self._starts_ms[at] if at < len(self._starts_ms) else _FOR_EVER
        return self._in_force[at - 1], self._starts_ms[at - 1], until_ms

    def was_in_force(self, digest: str, arrival_ms: int) -> Policy | None:
        """The version of that digest if it was in force at an arrival or before, else None."""
        begun = self._in_force[: bisect_right(self._starts_ms, arrival_ms)]
        return next((policy for policy in begun if policy.digest == digest), None)

    def approve(self, policy: Policy, effective_ms: int) -> None:
        """Put a version in force from a moment on; whatever was to begin then or later was approved before it."""
        kept = bisect_left(self._starts_ms, effective_ms)
        self._starts_ms[kept:] = [effective_ms]
        self._in_force[kept:] = [policy]
        self.head = policy
        self.highest_version = max(self.highest_version, policy.version)
