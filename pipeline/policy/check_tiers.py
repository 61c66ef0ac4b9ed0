"""What must hold between the tiers of a policy, and within one."""

from collections.abc import Iterator
from itertools import pairwise

from pipeline.currencies import EXPONENTS
from pipeline.policy.amounts import format_amount
from pipeline.policy.durations import format_duration
from pipeline.policy.fields import AUTHENTICATION_LEVELS
from pipeline.policy.model import COUNT_RULES, LIMIT_RULES, Policy, ReviewTerms, Tier
from pipeline.policy.reading import Finding, Path, repeats

# The second window holds everything that the first one holds, so a larger limit on the first could never be the one
# that is broken. A single transaction is within each of them.
_NESTED = (("1h", "24h"), ("24h", "7d"), ("7d", "30d"), ("day", "7d"), ("day", "month"))
NESTED_LIMITS = (
    ("amount_per_transaction", "amount_1h"),
    ("amount_per_transaction", "amount_day"),
    *((f"amount_{inner}", f"amount_{outer}") for inner, outer in _NESTED),
    *((f"count_{inner}", f"count_{outer}") for inner, outer in _NESTED),
)


def tier_names(policy: Policy) -> Iterator[Finding]:
    """Names of tiers are unique."""
    for at in repeats(tier.name for tier in policy.tiers):
        yield Finding(("tiers", at, "name"), "this name is taken by a tier above: give each tier its own")


def base_tier(policy: Policy) -> Iterator[Finding]:
    """The first tier has nothing that belongs to a grant."""
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


def granted_tiers(policy: Policy) -> Iterator[Finding]:
    """Every other tier has all that belongs to a grant, and a review clock that can run."""
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


def rising_tiers(policy: Policy) -> Iterator[Finding]:
    """A tier never has less of anything than the one below it."""
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


def nested_windows(policy: Policy) -> Iterator[Finding]:
    """No window has a larger limit than a longer one that contains it."""
    for at, tier in enumerate(policy.tiers):
        for inner, outer in NESTED_LIMITS:
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


def _amount(policy: Policy, rule: str, limit: int) -> str:
    return str(limit) if rule in COUNT_RULES else format_amount(limit, EXPONENTS[policy.base_currency])
