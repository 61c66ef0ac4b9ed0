"""What must hold between the fields of a policy: each check is a function of the whole policy, and names its fields."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from pipeline.policy.check_tiers import base_tier, granted_tiers, nested_windows, rising_tiers, tier_names
from pipeline.policy.incidents import problems as case_problems
from pipeline.policy.issuers import problems as issuer_problems
from pipeline.policy.learned import Learned
from pipeline.policy.learned import problems as learned_problems
from pipeline.policy.model import LIMIT_RULES, Policy
from pipeline.policy.onboarding import asks_less
from pipeline.policy.onboarding import problems as call_back_problems
from pipeline.policy.points import Points
from pipeline.policy.points import problems as points_problems
from pipeline.policy.reading import Finding, Path, repeats
from schemas.decision import OUTCOMES

HIGHEST_SCORE = 109


def check(policy: Policy) -> Iterator[Finding]:
    """Everything that is wrong between the fields of a policy."""
    for one in _CHECKS:
        yield from one(policy)


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
            message = f"begins at {band.low}, so {_scores(next_score, band.low - 1)} no band: begin at {next_score}"
            yield Finding((*whole, at, "low"), message, (whole,))
        next_score = max(next_score, band.low + 1, band.high + 1)
    if policy.bands and next_score <= HIGHEST_SCORE:
        last = len(policy.bands) - 1
        message = f"{_scores(next_score, HIGHEST_SCORE)} no band: the last one ends at {HIGHEST_SCORE}"
        yield Finding((*whole, last, "high"), message, (whole,))
    for at, (milder, harsher) in enumerate(pairwise(policy.bands), start=1):
        if OUTCOMES.index(harsher.outcome) < OUTCOMES.index(milder.outcome):
            message = f"a higher score may not end milder: {harsher.outcome} after {milder.outcome}"
            yield Finding((*whole, at, "outcome"), message, (whole,))


def _scores(low: int, high: int) -> str:
    return f"score {low} has" if low == high else f"scores {low} to {high} have"


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
        for at in repeats(rule.types):
            yield Finding(("rules", name, "types", at), "this type stands here twice: keep one")


def _people(policy: Policy) -> Iterator[Finding]:
    people = policy.people
    for at in repeats(person.name for person in people):
        yield Finding(("people", at, "name"), "this name is taken by a person above: give each person one entry")
    places: list[Path] = [("people", at, "keys", key_id) for at, person in enumerate(people) for key_id in person.keys]
    for where in repeats(key_id for person in people for key_id in person.keys):
        yield Finding(places[where], "this key id is taken above: give every key an id of its own")
    for where in repeats(key for person in people for key in person.keys.values()):
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


def _attestations(policy: Policy) -> Iterator[Finding]:
    if policy.attestations is not None:
        for place, message in issuer_problems(policy.attestations):
            yield Finding(("attestations", *place), message)


def _onboarding(policy: Policy) -> Iterator[Finding]:
    """Applications can run, and a higher tier never asks for less than the tier below it."""
    if policy.onboarding is None:
        return
    for place, message in call_back_problems(policy.onboarding.call_back):
        yield Finding(("onboarding", "call_back", *place), message)
    for at, (lower, upper) in enumerate(pairwise(policy.tiers), start=1):
        here: Path = ("tiers", at, "criteria")
        if upper.criteria is None:
            yield Finding(here, f"{upper.name} cannot be applied for: say what the file must show", (("onboarding",),))
        elif lower.criteria is not None and (less := asks_less(lower.criteria, upper.criteria)):
            message = f"asks for less than {lower.name}: a higher tier takes at least as much"
            yield Finding((*here, less), message, (("tiers", at - 1, "criteria", less),))


def _cases(policy: Policy) -> Iterator[Finding]:
    # Whoever says nothing of queues has the same times for all.
    if policy.cases.queues:
        for place, message in case_problems(policy.cases, {tier.service_channel for tier in policy.tiers}):
            yield Finding(("cases", *place), message)


def _points(policy: Policy) -> Iterator[Finding]:
    if policy.points is not None:
        for place, message in points_problems(policy.points):
            yield Finding(("points", *place), message)
        yield from _ready_for("points", policy, policy.points)


def _learned(policy: Policy) -> Iterator[Finding]:
    if policy.learned is not None:
        for place, message in learned_problems(policy.learned):
            yield Finding(("learned", *place), message)
        yield from _ready_for("learned", policy, policy.learned)


def _ready_for(section: str, policy: Policy, asked: Points | Learned) -> Iterator[Finding]:
    if asked.mode != "off" and not policy.profile:
        yield Finding((section, "mode"), f"{section} looks at profiles: add `profile: true`", (("profile",),))
    ends = {band.outcome for band in policy.bands}
    for outcome, _ in asked.outcomes.given():
        if outcome not in ends:
            message = f"no band ends in {outcome}, so there is no score for it"
            yield Finding((section, "outcomes", outcome), message, (("bands",),))


_CHECKS: tuple[Callable[[Policy], Iterator[Finding]], ...] = (
    tier_names,
    base_tier,
    granted_tiers,
    rising_tiers,
    nested_windows,
    _bands,
    _outcome_table,
    _limits_never_pass,
    _night,
    _types,
    _people,
    _able_people,
    _onboarding,
    _attestations,
    _cases,
    _points,
    _learned,
)
