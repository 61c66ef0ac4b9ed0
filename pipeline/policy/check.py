"""What must hold between the fields of a policy: each check is a function of the whole policy, and names its fields."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pipeline.currencies import EXPONENTS
from pipeline.policy.amounts import format_amount
from pipeline.policy.durations import format_duration
from pipeline.policy.fields import AUTHENTICATION_LEVELS
from pipeline.policy.model import COUNT_RULES, LIMIT_RULES, Policy, ReviewTerms, Tier
from pipeline.policy.shapes import Path
from schemas.decision import OUTCOMES

HIGHEST_SCORE = 109

# The second window holds everything that the first one holds, so a larger limit on the first could never be the one
# that is broken. A single transaction is within each of them.
_NESTED = (("1h", "24h"), ("24h", "7d"), ("7d", "30d"), ("day", "7d"), ("day", "month"))
_NESTED_LIMITS = (
    ("amount_per_transaction", "amount_1h"),
    ("amount_per_transaction", "amount_day"),
    *((f"amount_{inner}", f"amount_{outer}") for inner, outer in _NESTED),
    *((f"count_{inner}", f"count_{outer}") for inner, outer in _NESTED),
)


class Finding(NamedTuple):
    """Something that must not be. `path` is where to mend it; `others` are further fields that it follows from."""

    path: Path
    message: str
    others: tuple[Path, ...] = ()


def check(policy: Policy) -> Iterator[Finding]:
    """Everything that is wrong between the fields of a policy."""
    for one in _CHECKS:
        yield from one(policy)


def _amount(policy: Policy, rule: str, limit: int) -> str:
    return str(limit) if rule in COUNT_RULES else format_amount(limit, EXPONENTS[policy.base_currency])


def _tier_names(policy: Policy) -> Iterator[Finding]:
    for at in _repeats(tier.name for tier in policy.tiers):
        yield Finding(("tiers", at, "name"), "this name is taken by a tier above: give each tier its own")


def _base_tier(policy: Policy) -> Iterator[Finding]:
    if not policy.tiers:
        return
    base = policy.tiers[0]
    given = (
        ("review", base.review),
        ("grant", base.grant_ms),
        ("approvals", base.approvals),
        ("approver_roles", base.approver_roles),
    )
    for name, value in given:
        if value:
            message = f"the first tier is the absence of a grant and has no {name}: remove it, or put a base tier first"
            yield Finding(("tiers", 0, name), message)


def _granted_tiers(policy: Policy) -> Iterator[Finding]:
    for at, tier in enumerate(policy.tiers[1:], start=1):
        needed: dict[str, tuple[object, str]] = {
            "review": (tier.review, "a review clock (every, notice, remind, grace)"),
            "grant": (tier.grant_ms, "an expiry: how long a grant may last"),
            "approvals": (tier.approvals, "approvals: how many people must sign, at least 1"),
            "approver_roles": (tier.approver_roles, "approver_roles: who may sign"),
        }
        for name, (value, what) in needed.items():
            if not value:
                yield Finding(("tiers", at, name), f"every tier above the first needs {what}")
        if tier.review is not None:
            yield from _review(("tiers", at), tier, tier.review)


def _review(path: Path, tier: Tier, review: ReviewTerms) -> Iterator[Finding]:
    every, notice, grace = (
        format_duration(review.every_ms),
        format_duration(review.notice_ms),
        format_duration(review.grace_ms),
    )
    to = {name: (*path, "review", name) for name in ("every", "notice", "remind", "grace")}
    if tier.grant_ms and review.every_ms >= tier.grant_ms:
        message = f"a grant of {format_duration(tier.grant_ms)} would end before its first review: make it less"
        yield Finding(to["every"], message, ((*path, "grant"),))
    if review.notice_ms >= review.every_ms:
        message = f"a review every {every} would be requested before the one before it: make notice less"
        yield Finding(to["notice"], message, (to["every"],))
    for at, (offset, after) in enumerate(zip(review.remind_ms, (None, *review.remind_ms), strict=False)):
        here = (*to["remind"], at)
        if after is not None and offset <= after:
            yield Finding(here, "reminders must stand in the order in which they are sent, each once", (to["remind"],))
        if offset <= -review.notice_ms:
            yield Finding(here, f"this is not after the request, {notice} before the due time", (to["notice"],))
        if offset >= review.grace_ms:
            yield Finding(here, f"by then the tier has ended, {grace} after the due time", (to["grace"],))


def _rising_tiers(policy: Policy) -> Iterator[Finding]:
    for at, (lower, upper) in enumerate(pairwise(policy.tiers), start=1):

        def fall(*field: str, at: int = at, message: str) -> Finding:
            return Finding(("tiers", at, *field), message, (("tiers", at - 1, *field),))

        for rule in LIMIT_RULES:
            if upper.limits[rule] < lower.limits[rule]:
                here, below = (_amount(policy, rule, tier.limits[rule]) for tier in (upper, lower))
                yield fall("limits", rule, message=f"falls to {here} from {below} in {lower.name}: a tier may not lose")
        if upper.fee_bps > lower.fee_bps:
            yield fall("fee_bps", message=f"rises to {upper.fee_bps} from {lower.fee_bps} in {lower.name}")
        if _strictness(upper) > _strictness(lower):
            message = f"{upper.authentication} asks for more than {lower.authentication} in {lower.name}"
            yield fall("authentication", message=message)
        if lower.priority and not upper.priority:
            yield fall("priority", message=f"{lower.name} has priority, so {upper.name} must have it")


def _strictness(tier: Tier) -> int:
    return -AUTHENTICATION_LEVELS.index(tier.authentication)


def _nested_windows(policy: Policy) -> Iterator[Finding]:
    for at, tier in enumerate(policy.tiers):
        for inner, outer in _NESTED_LIMITS:
            modes = policy.rules[inner].mode, policy.rules[outer].mode
            if tier.limits[inner] > tier.limits[outer] and "off" not in modes:
                small, large = (_amount(policy, rule, tier.limits[rule]) for rule in (outer, inner))
                message = (
                    f"{large} can never be the limit that is broken, because {outer} is {small}: "
                    f"lower it, raise {outer}, or switch one of the rules off"
                )
                others: tuple[Path, ...] = (
                    ("tiers", at, "limits", outer), ("rules", inner, "mode"), ("rules", outer, "mode"),
                )  # fmt: skip
                yield Finding(("tiers", at, "limits", inner), message, others)


def _bands(policy: Policy) -> Iterator[Finding]:
    whole: Path = ("bands",)
    next_score = 0
    for at, band in enumerate(policy.bands):
        if band.low > band.high:
            yield Finding((*whole, at, "high"), f"ends at {band.high}, before it begins at {band.low}", (whole,))
        elif band.low < next_score:
            message = f"begins at {band.low}, but scores below {next_score} are taken: bands must not overlap"
            yield Finding((*whole, at, "low"), message, (whole,))
        elif band.low > next_score:
            message = f"begins at {band.low}, so {next_score} to {band.low - 1} have no band: begin at {next_score}"
            yield Finding((*whole, at, "low"), message, (whole,))
        next_score = max(next_score, band.high + 1)
    if policy.bands and next_score <= HIGHEST_SCORE:
        last = len(policy.bands) - 1
        message = f"scores {next_score} to {HIGHEST_SCORE} have no band: the last one ends at {HIGHEST_SCORE}"
        yield Finding((*whole, last, "high"), message, (whole,))
    for at, (milder, harsher) in enumerate(pairwise(policy.bands), start=1):
        if OUTCOMES.index(harsher.outcome) < OUTCOMES.index(milder.outcome):
            message = f"a higher score may not end milder: {harsher.outcome} after {milder.outcome}"
            yield Finding((*whole, at, "outcome"), message, (whole,))


def _outcome_table(policy: Policy) -> Iterator[Finding]:
    passed = policy.outcomes["pass"]
    for name in ("alert", "re_review", "account_action"):
        if getattr(passed, name):
            yield Finding(("outcomes", "pass", name), "a transaction that passes asks for nothing: use another outcome")
    for outcome in ("review", "hold"):
        if not policy.outcomes[outcome].alert:
            yield Finding(("outcomes", outcome, "alert"), f"{outcome} without an alert would reach nobody: write true")


def _limits_never_pass(policy: Policy) -> Iterator[Finding]:
    for rule in LIMIT_RULES:
        weight = policy.rules[rule]
        banded = next((band.outcome for band in policy.bands if band.low <= weight.points <= band.high), "hold")
        if weight.mode == "live" and weight.floor == banded == "pass":
            message = f"a broken limit would end in pass: raise the floor, or the points above {weight.points}"
            yield Finding(("rules", rule, "floor"), message, (("rules", rule), ("bands",)))


def _night(policy: Policy) -> Iterator[Finding]:
    rule = policy.rules["night_amount"]
    if rule.night_from_min == rule.night_to_min:
        path: Path = ("rules", "night_amount")
        yield Finding((*path, "night_to"), "the night ends when it begins", ((*path, "night_from"),))


def _types(policy: Policy) -> Iterator[Finding]:
    for name, rule in policy.rules.items():
        for at in _repeats(rule.types):
            yield Finding(("rules", name, "types", at), "this type stands here twice: keep one")


def _people(policy: Policy) -> Iterator[Finding]:
    people = policy.people
    for at in _repeats(person.name for person in people):
        yield Finding(("people", at, "name"), "this name is taken by a person above: give each person one entry")
    places: list[Path] = [("people", at, "keys", key_id) for at, person in enumerate(people) for key_id in person.keys]
    for where in _repeats(key_id for person in people for key_id in person.keys):
        yield Finding(places[where], "this key id is taken above: give every key an id of its own")
    for where in _repeats(key for person in people for key in person.keys.values()):
        yield Finding(places[where], "this public key stands above: one key is one hand")


def _able_people(policy: Policy) -> Iterator[Finding]:
    """Nothing to check without people: such a policy can grant nothing and change nothing, which is its purpose."""
    if not policy.people:
        return
    people: Path = ("people",)
    for at, tier in enumerate(policy.tiers):
        able = _able(policy, tier.approver_roles)
        if able < tier.approvals:
            message = _too_few(tier.approvals, able, tier.approver_roles)
            yield Finding(("tiers", at, "approvals"), message, (people, ("tiers", at, "approver_roles")))
    able = _able(policy, policy.policy_approver_roles)
    path: Path = ("policy_approvals",)
    others: tuple[Path, ...] = (people, ("policy_approver_roles",))
    if able < policy.policy_approvals:
        yield Finding(path, _too_few(policy.policy_approvals, able, policy.policy_approver_roles), others)
    elif len(policy.people) <= policy.policy_approvals:
        message = f"{policy.policy_approvals} must sign beside the proposer, but only {len(policy.people)} are listed"
        yield Finding(path, message, others)


def _able(policy: Policy, roles: Sequence[str]) -> int:
    return sum(not set(roles).isdisjoint(person.roles) for person in policy.people)


def _too_few(needed: int, able: int, roles: Sequence[str]) -> str:
    return f"{needed} must sign, but only {able} of the people listed have a role of {', '.join(roles) or 'nobody'}"


def _repeats(values: Iterable[object]) -> Iterator[int]:
    """Where a value stands again."""
    seen: Counter[object] = Counter()
    for at, value in enumerate(values):
        if seen[value]:
            yield at
        seen[value] += 1


_CHECKS: tuple[Callable[[Policy], Iterator[Finding]], ...] = (
    _tier_names,
    _base_tier,
    _granted_tiers,
    _rising_tiers,
    _nested_windows,
    _bands,
    _outcome_table,
    _limits_never_pass,
    _night,
    _types,
    _people,
    _able_people,
)
