"""The policy as the pipeline reads it: amounts in minor units of the base currency, durations in milliseconds."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from pipeline.policy.incidents import Correlation, Incidents
from pipeline.policy.issuers import Attestations
from pipeline.policy.labels import Labels
from pipeline.policy.learned import Learned
from pipeline.policy.onboarding import Criteria, Onboarding
from pipeline.policy.points import Points
from pipeline.policy.profile_shift import ProfileShift
from schemas.account_action import Action as AccountActionName
from schemas.decision import Mode, Outcome, Severity
from schemas.transaction import TransactionType

Window = Literal["1h", "24h", "7d", "30d", "day", "month"]
WINDOWS: tuple[Window, ...] = ("1h", "24h", "7d", "30d", "day", "month")

# Every limit of a tier, by the rule that judges it.
AMOUNT_RULES = tuple(f"amount_{window}" for window in WINDOWS)
COUNT_RULES = tuple(f"count_{window}" for window in WINDOWS)
LIMIT_RULES = (
    "amount_per_transaction",
    *AMOUNT_RULES,
    *COUNT_RULES,
    "new_payee_amount",
    "new_device_amount",
    "night_amount",
)
# Rules that no tier can buy off.
OTHER_RULES = ("account_frozen",)
# Rules that know a pattern; a policy need not have them. A cool-down names its rule by the place in RULES: append only.
PATTERN_RULES = (
    "card_testing",
    "structuring",
    "dormant_account",
    "account_takeover",
    "burst",
    "circular_flow",
    "fan_in",
    "fan_out",
    "pass_through",
    "refund_abuse",
    "round_amounts",
    "deny_list",
    "watch_list",
    "amount_outlier",
    "impossible_travel",
    "mule_account",
    "new_category",
    "new_country",
    "odd_hour",
    "compromised_merchant",
    "fraud_linked",
)
# Those of them that ask the deny list and the watch list.
LIST_RULES = ("deny_list", "watch_list")
# Those that ask what labels teach about terminals and merchants, devices and payees.
RISK_RULES = ("compromised_merchant", "fraud_linked")
RULES = (*LIMIT_RULES, *OTHER_RULES, *PATTERN_RULES)
# What the section `points` says stands on decisions as a rule of this name; its number is beyond all in RULES.
POINTS_RULE = "points"
POINTS_NUMBER = 250


class Rule(Struct, frozen=True, kw_only=True):
    """How one rule weighs: `types` it counts, `points` 0-100, the outcome it never ends below, its cool-down."""

    name: str
    mode: Mode
    points: int
    severity: Severity
    floor: Outcome
    cool_down_ms: int
    types: tuple[TransactionType, ...] = ("purchase", "transfer", "withdrawal")
    correlate: Correlation = "customer"
    # new_payee_amount, new_device_amount: how long after it was first seen a payee or device counts as new.
    new_for_ms: int = 0
    # night_amount: minutes after local midnight, on quarter hours; a night may pass midnight.
    night_from_min: int = 0
    night_to_min: int = 0
    # Patterns: the least amount that is looked at, and what each rule's own page says of the others.
    amount_minor: int = 0
    small_minor: int = 0
    threshold_minor: int = 0
    count: int = 0
    within_ms: int = 0
    dormant_ms: int = 0
    margin_pct: int = 0
    share_pct: int = 0
    step_minor: int = 0
    times: int = 0
    z: int = 0
    distance_km: int = 0
    speed_kmh: int = 0


class ReviewTerms(Struct, frozen=True, kw_only=True):
    """The review clock of a tier. `remind_ms` are offsets from the due time, before (negative), on (0) and after."""

    every_ms: int
    notice_ms: int
    remind_ms: tuple[int, ...]
    grace_ms: int
    # After so long without a payment somebody looks at the grant, 0 for never.
    dormant_ms: int = 0


class Tier(Struct, frozen=True, kw_only=True):
    """One tier; `limits` by rule name. The base tier, the first, is the absence of a grant and has no review clock."""

    name: str
    rank: int
    limits: Mapping[str, int]
    fee_bps: int
    authentication: str
    priority: bool
    service_channel: str
    # How many different people approve a grant, and from which roles; 0 and () for the base tier.
    approvals: int = 0
    approver_roles: tuple[str, ...] = ()
    review: ReviewTerms | None = None
    grant_ms: int = 0
    # What an applicant's file must show; None where nobody can apply for the tier.
    criteria: Criteria | None = None
    # How far the limits of one customer may be raised, in per cent of the tier's.
    ceiling_pct: int = 100


class Band(Struct, frozen=True):
    """Scores from `low` to `high`, both included, end in `outcome`."""

    low: int
    high: int
    outcome: Outcome


class Action(Struct, frozen=True, kw_only=True):
    """What an outcome asks for."""

    alert: bool = False
    re_review: bool = False
    account_action: AccountActionName | Literal[""] = ""


class Person(Struct, frozen=True):
    """Somebody who may sign: `keys` is key_id to Ed25519 public key (32 bytes)."""

    name: str
    roles: tuple[str, ...]
    keys: Mapping[str, bytes]


class Policy(Struct, frozen=True, kw_only=True):
    """One version of the policy. `digest` is the SHA-256 of its YAML bytes, hex."""

    name: str
    version: int
    digest: str
    base_currency: str
    zone: str
    lateness_ms: int
    skew_ms: int
    tiers: tuple[Tier, ...]
    rules: Mapping[str, Rule]
    bands: tuple[Band, ...]
    outcomes: Mapping[Outcome, Action]
    people: tuple[Person, ...]
    # How many people approve a change of policy, and from which roles.
    policy_approvals: int
    policy_approver_roles: tuple[str, ...]
    # Whose word about applicants counts; None where nobody's does.
    attestations: Attestations | None = None
    # Who may break glass: set rules to shadow, or withhold account actions, for hours. Nobody where it is empty.
    break_glass_roles: tuple[str, ...] = ()
    # Longest age of an exchange rate that may still be used.
    rate_max_age_ms: int
    # Whatever arrived before it is history, judged and remembered for what comes after: it asks for nothing.
    warm_until_ms: int | None = None
    # None where nobody applies: tiers are granted on paper.
    onboarding: Onboarding | None = None
    # Whether payments teach a profile of their customer, which rules and `tierwatch profile` read.
    profile: bool = False
    # When a week has left the customer's own profile; None where nobody looks.
    profile_shift: ProfileShift | None = None
    # Calibrated on labels; None where nobody has.
    points: Points | None = None
    # Trained on labels; None where no model is asked.
    learned: Learned | None = None
    # Records of the priority lane taken for each one of the other lane, while both have a backlog.
    priority_weight: int = 4
    cases: Incidents = Incidents()
    labels: Labels = Labels()
