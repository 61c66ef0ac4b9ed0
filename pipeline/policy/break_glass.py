"""Break-glass: one engineer on call quietens the house for four hours at most, and a second person looks at it after.

It changes no version: while it lasts, some rules are in shadow, or no account action is asked for. Everything is still
computed, decided, alerted and recorded. It ends by itself, and nobody may break glass past the four hours of the first
one that nobody has reviewed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from pipeline.policy.learned import LEARNED_RULE
from pipeline.policy.model import POINTS_RULE, Person, Policy
from pipeline.policy.proposals import Refusal, may_approve, not_authorised
from schemas.policy_event import GlassBroken, GlassMended, GlassReviewed
from schemas.reasons import RefusalReason as Reason
from schemas.timestamps import MS_PER_HOUR, format_ms, parse_ms

LONGEST_MS = 4 * MS_PER_HOUR
FOR_EVER_MS = 1 << 61
SINCE_EVER_MS = -(1 << 61)


@dataclass
class Glass:
    """One glass that was broken: by whom, for what, from and until when (ms, the end excluded), and who reviewed it."""

    event_id: str
    by: str
    rules: tuple[str, ...]
    observe_only: bool
    since_ms: int
    until_ms: int
    longest_until_ms: int
    reviewer: str = ""

    def lasts(self, at_ms: int) -> bool:
        """Whether it holds at a moment."""
        return self.since_ms <= at_ms < self.until_ms

    def waits(self, at_ms: int) -> bool:
        """Whether it is over at a moment, and nobody has reviewed it."""
        return not self.reviewer and at_ms >= self.until_ms

    def in_words(self) -> str:
        """What it does and for how long, for those who read the audit."""
        quiet = [f"{rule} in shadow" for rule in self.rules] + ["all account actions withheld"] * self.observe_only
        return f"{', '.join(quiet)}, from {format_ms(self.since_ms)} until {format_ms(self.until_ms)}"


class Glasses:
    """All that were ever broken, oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: list[Glass] = []
        # One object for each combination: whoever compiles a policy compiles it once.
        self._quietened: dict[tuple[str, tuple[str, ...]], Policy] = {}
        self._ends_ms = SINCE_EVER_MS

    def over(self, policy: Policy, at_ms: int) -> Policy:
        """The policy as it is in force at a moment, quietened where glass is broken."""
        if at_ms >= self._ends_ms:
            return policy
        active = [glass for glass in self.all if glass.lasts(at_ms)]
        if not active:
            return policy
        key = policy.digest, tuple(glass.event_id for glass in active)
        if key not in self._quietened:
            self._quietened[key] = _quietened(policy, active)
        return self._quietened[key]

    def narrow(self, at_ms: int, since_ms: int, until_ms: int) -> tuple[int, int]:
        """The part of a time around a moment in which no glass begins or ends."""
        edges = [edge for glass in self.all for edge in (glass.since_ms, glass.until_ms)]
        since_ms = max([since_ms, *(edge for edge in edges if edge <= at_ms)])
        return since_ms, min([until_ms, *(edge for edge in edges if edge > at_ms)])

    def unreviewed(self) -> list[Glass]:
        """Those that nobody has reviewed, lasting ones included."""
        return [glass for glass in self.all if not glass.reviewer]

    def break_one(
        self, event: GlassBroken, person: Person, policy: Policy, arrival_ms: int, settle_ms: int
    ) -> Refusal | None:
        """Break one, from some moments after its arrival on."""
        if not set(person.roles) & set(policy.break_glass_roles):
            roles = ", ".join(policy.break_glass_roles) or "nobody"
            return Refusal(Reason.NOT_AUTHORISED, f"{person.name} has none of the roles {roles}")
        known = {*policy.rules, *([POINTS_RULE] if policy.points else ()), *([LEARNED_RULE] if policy.learned else ())}
        unknown = [rule for rule in event.rules if rule not in known]
        if unknown or not (event.rules or event.observe_only):
            return Refusal(Reason.UNKNOWN_RULE, f"$.rules: {', '.join(unknown) or 'none, and $.observe_only is false'}")
        since_ms, until_ms = arrival_ms + settle_ms, parse_ms(event.until)
        latest_ms = min([arrival_ms + LONGEST_MS, *(glass.longest_until_ms for glass in self.unreviewed())])
        if until_ms > latest_ms or until_ms <= since_ms:
            span = f"not between {format_ms(since_ms)} and {format_ms(latest_ms)}"
            return Refusal(Reason.GLASS_TOO_LONG, f"$.until is {span}; glass that nobody has reviewed counts")
        rules = tuple(dict.fromkeys(event.rules))
        glass = Glass(event.event_id, person.name, rules, event.observe_only, since_ms, until_ms, latest_ms)
        self.all.append(glass)
        self._ends_ms = max(self._ends_ms, until_ms)
        return None

    def mend(self, event: GlassMended, person: Person, policy: Policy, arrival_ms: int) -> Refusal | None:
        """End one early; whoever may break glass or approve a policy may do that."""
        glass = self._named(event.broken)
        if glass is None or arrival_ms >= glass.until_ms:
            return Refusal(Reason.UNKNOWN_GLASS, f"$.broken {event.broken} is none that lasts")
        if not set(person.roles) & set(policy.break_glass_roles) and not may_approve(person, policy):
            return not_authorised(person, policy)
        glass.until_ms = max(arrival_ms, glass.since_ms)
        return None

    def review(self, event: GlassReviewed, person: Person, policy: Policy, arrival_ms: int) -> Refusal | None:
        """Close one that is over; somebody else does it than whoever broke it."""
        glass = self._named(event.broken)
        if glass is None or glass.reviewer:
            return Refusal(Reason.UNKNOWN_GLASS, f"$.broken {event.broken} is none that waits for a review")
        if not may_approve(person, policy):
            return not_authorised(person, policy)
        if person.name == glass.by:
            return Refusal(Reason.OWN_GLASS, f"{glass.by} broke it")
        if arrival_ms < glass.until_ms:
            return Refusal(Reason.GLASS_NOT_OVER, f"it lasts until {format_ms(glass.until_ms)}, unless it is mended")
        glass.reviewer = person.name
        return None

    def _named(self, event_id: str) -> Glass | None:
        return next((glass for glass in self.all if glass.event_id == event_id), None)


def _quietened(policy: Policy, active: Sequence[Glass]) -> Policy:
    quiet = {rule for glass in active for rule in glass.rules}
    rules = {
        name: replace(rule, mode="shadow") if name in quiet and rule.mode == "live" else rule
        for name, rule in policy.rules.items()
    }
    points, learned, outcomes = policy.points, policy.learned, policy.outcomes
    if points is not None and POINTS_RULE in quiet and points.mode == "live":
        points = replace(points, mode="shadow")
    if learned is not None and LEARNED_RULE in quiet and learned.mode == "live":
        learned = replace(learned, mode="shadow")
    if any(glass.observe_only for glass in active):
        outcomes = {name: replace(action, account_action="") for name, action in outcomes.items()}
    return replace(policy, rules=rules, points=points, learned=learned, outcomes=outcomes)
