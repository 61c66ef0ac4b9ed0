"""Every field of a policy: the one table behind the loader, the JSON Schema and the reference."""

from importlib.resources import files
from typing import Any

import msgspec

from pipeline.currencies import EXPONENTS
from pipeline.policy.amounts import Amount
from pipeline.policy.containers import Field, ListOf, MapOf, Record
from pipeline.policy.durations import Duration, TimeOfDay
from pipeline.policy.incidents import CORRELATE, INCIDENTS
from pipeline.policy.issuers import ATTESTATIONS, Moment
from pipeline.policy.keys import PublicKey
from pipeline.policy.labels import LABELS
from pipeline.policy.learned import LEARNED
from pipeline.policy.model import AMOUNT_RULES, COUNT_RULES, LIMIT_RULES, PATTERN_RULES, RULES, Policy
from pipeline.policy.onboarding import CRITERIA, ONBOARDING
from pipeline.policy.points import POINTS
from pipeline.policy.profile_shift import PROFILE_SHIFT
from pipeline.policy.shapes import Choice, Flag, Integer, Known, Text
from pipeline.rules import PATTERNS
from schemas.decision import OUTCOMES
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, MS_PER_SECOND
from schemas.transaction import TRANSACTION_TYPES

# How much a customer of the tier must prove, most first. A higher tier may ask for less, never for more.
AUTHENTICATION_LEVELS = ("strong", "standard", "reduced")
# What a decision may ask the core system to do; everything else of `account-actions` has other causes.
ACCOUNT_ACTIONS = ("step_up", "hold", "freeze")

LARGEST_COUNT = 1_000_000
ZONES = frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())

_WORD = Text("a name in lower case: letters, digits and _, starting with a letter, at most 40", "[a-z][a-z0-9_]{0,39}")
_PERSON = Text(
    "a name of at most 128 characters, without control characters or spaces around it",
    r"[^\x00-\x20\x7f]([^\x00-\x1f\x7f]{0,126}[^\x00-\x20\x7f])?",
)
_KEY_ID = Text("a key id: letters, digits and . _ : -, at most 128", "[A-Za-z0-9._:-]{1,128}")
_ROLES = ListOf(_WORD, "a list of roles, such as [risk_officer]", most=20)
_OUTCOME = Choice(*OUTCOMES)


def _days(least: int, most: int) -> Duration:
    return Duration(least * MS_PER_DAY, most * MS_PER_DAY)


REVIEW = Record(
    "every, notice, remind and grace",
    {
        "every": Field(
            _days(1, 3660), "Longest time from the grant, or from a review, to the next review.", tighter="lower"
        ),
        "notice": Field(_days(0, 366), "How long before the review is due it is requested."),
        "remind": Field(
            ListOf(_days(-366, 366), "a list of durations, such as [-7d, 0d, 7d]", most=20),
            "When to remind, counted from the due time: -7d is a week before, 0d on the day, 7d a week after.",
        ),
        "grace": Field(
            _days(0, 366), "How long after the due time the tier lasts; then it ends by itself.", tighter="lower"
        ),
        "dormant": Field(
            _days(1, 3660),
            "How long nothing may be paid before somebody is asked to look; leave it out for ever.",
            required=False,
            default=0,
        ),
    },
)


def _limit(name: str) -> Field:
    if name in AMOUNT_RULES:
        return Field(Amount(), f"Most that may be spent in {_window(name)}.", tighter="lower")
    if name in COUNT_RULES:
        return Field(Integer(0, LARGEST_COUNT), f"Most transactions in {_window(name)}.", tighter="lower")
    return Field(Amount(), _OTHER_LIMITS[name], tighter="lower")


def _window(name: str) -> str:
    length = name.partition("_")[2]
    return {
        "1h": "any hour",
        "24h": "any 24 hours",
        "7d": "any 7 days",
        "30d": "any 30 days",
        "day": "a calendar day",
        "month": "a calendar month",
    }[length]


_OTHER_LIMITS = {
    "amount_per_transaction": "Most that one transaction may be.",
    "new_payee_amount": "Most that one transaction to a new payee may be.",
    "new_device_amount": "Most that one transaction from a new device may be.",
    "night_amount": "Most that may be spent in one night.",
}

LIMITS = Record("the limits of a tier, one for each limit rule", {name: _limit(name) for name in LIMIT_RULES})

TIER = Record(
    "a tier",
    {
        "name": Field(_WORD, "The tier's name, as it stands in grants and decisions."),
        "limits": Field(
            LIMITS,
            "What is broken by one minor unit, or one transaction, more. Never lower than in the tier below.",
        ),
        "fee_bps": Field(Integer(0, 10_000), "Fee in basis points (1/100 of a per cent); not above the tier below."),
        "authentication": Field(
            Choice(*AUTHENTICATION_LEVELS), "How much a customer must prove to pay.", tighter="lower"
        ),
        "priority": Field(Flag(), "Whether transactions may take the priority lane.", tighter="lower"),
        "service_channel": Field(_WORD, "Where the bank serves these customers."),
        "approvals": Field(
            Integer(0, 20),
            "How many different people must sign a grant of this tier.",
            required=False,
            default=0,
            tighter="higher",
        ),
        "approver_roles": Field(_ROLES, "The roles of the people who may sign it.", required=False, default=()),
        "review": Field(REVIEW, "The review clock of a grant.", required=False),
        "grant": Field(
            _days(1, 3660),
            "How long a grant may last; expiry has no grace.",
            required=False,
            default=0,
            tighter="lower",
        ),
        "criteria": Field(CRITERIA, "What the file of an applicant for the tier must show.", required=False),
        "ceiling_pct": Field(
            Integer(100, 1_000),
            "How far the limits of one customer may be raised, in per cent of the tier's.",
            required=False,
            default=100,
            tighter="lower",
        ),
    },
)


RULE_FIELDS = {
    "mode": Field(
        Choice("off", "shadow", "live"), "`live` counts, `shadow` is recorded only, `off` is not computed at all."
    ),
    "points": Field(Integer(0, 100), "How suspicious it is."),
    "severity": Field(Choice("low", "medium", "high", "critical"), "How an analyst should take it."),
    "floor": Field(_OUTCOME, "The mildest outcome when it fires, whatever the score."),
    "cool_down": Field(_days(0, 31), "How long after an alert the same rule makes no further one for the customer."),
    "types": Field(
        ListOf(
            Choice(*(name for name in TRANSACTION_TYPES if name != "reversal")),
            "a list of transaction types, such as [purchase, transfer, withdrawal]",
            least=1,
        ),
        "The transaction types it judges and counts; a reversal never counts.",
        required=False,
        default=("purchase", "transfer", "withdrawal"),
    ),
    "correlate": CORRELATE,
}


def _new_for(what: str) -> dict[str, Field]:
    shape = Duration(MS_PER_SECOND, 30 * MS_PER_DAY)
    return {"new_for": Field(shape, f"How long after it was first seen a {what} counts as new.")}


# Fields that one rule has beside those of all.
RULE_PARAMETERS = {
    "new_payee_amount": _new_for("payee"),
    "new_device_amount": _new_for("device"),
    "night_amount": {
        "night_from": Field(TimeOfDay(), "When the night begins, local wall time."),
        "night_to": Field(TimeOfDay(), "When it ends; it may pass midnight."),
    },
    **{
        name: {**pattern.parameters, "types": RULE_FIELDS["types"]._replace(default=pattern.types)}
        if pattern.types != RULE_FIELDS["types"].default
        else dict(pattern.parameters)
        for name, pattern in PATTERNS.items()
    },
}
_RULE_MEANINGS = {
    "amount_per_transaction": "One transaction is larger than the tier allows.",
    **{name: f"More is spent than the tier allows in {_window(name)}." for name in AMOUNT_RULES},
    **{name: f"More transactions than the tier allows in {_window(name)}." for name in COUNT_RULES},
    "new_payee_amount": "A large transaction to a payee the customer has only just begun to pay.",
    "new_device_amount": "A large transaction from a device the customer has only just begun to use.",
    "night_amount": "More is spent in one night than the tier allows.",
    "account_frozen": "A transaction on an account that is frozen.",
    **{name: pattern.meaning for name, pattern in PATTERNS.items()},
}
RULE_TABLE = Record(
    "the rules, one entry for each",
    {
        name: Field(
            Record(
                "mode, points, severity, floor and cool_down at least", {**RULE_FIELDS, **RULE_PARAMETERS.get(name, {})}
            ),
            _RULE_MEANINGS[name],
            required=name not in PATTERN_RULES,
        )
        for name in RULES
    },
)

BAND = Record(
    "a band: low, high, outcome",
    {
        "low": Field(Integer(0, 109), "The lowest score of the band."),
        "high": Field(Integer(0, 109), "The highest score of the band."),
        "outcome": Field(_OUTCOME, "What a score of the band ends in."),
    },
)

ACTION = Record(
    "alert, re_review and, if any, account_action",
    {
        "alert": Field(Flag(), "Whether a person must see it."),
        "re_review": Field(Flag(), "Whether the customer's grant must be looked at again."),
        "account_action": Field(
            Choice(*ACCOUNT_ACTIONS), "What the core system is asked to do; leave it out for nothing.",
            required=False, default="",
        ),
    },
)  # fmt: skip

PERSON = Record(
    "a person: name, roles, keys",
    {
        "name": Field(_PERSON, "The name that stands as `actor` in what the person signs."),
        "roles": Field(ListOf(_WORD, "a list of roles, such as [risk_officer]", least=1, most=20), "What they may do."),
        "keys": Field(
            MapOf(_KEY_ID, PublicKey(), "a mapping from key id to public key", least=1),
            "Their public keys, by key id; never a private one.",
        ),
    },
)

POLICY = Record(
    "a policy",
    {
        "name": Field(
            Text("a name in lower case: letters, digits, _ and -, at most 64", "[a-z][a-z0-9_-]{0,63}"),
            "The policy's name; it never changes.",
        ),
        "version": Field(Integer(1, 2**31 - 1), "Rises with each version."),
        "base_currency": Field(
            Known("an ISO 4217 currency code", EXPONENTS, "^[A-Z]{3}$", "UYW"),
            "The currency of all limits and sums; it never changes.",
        ),
        "zone": Field(
            Known("an IANA time zone, such as Europe/Paris or UTC", ZONES, "^[A-Za-z0-9_+/-]+$", "UTC"),
            "Whose calendar days, months and nights the windows use.",
        ),
        "lateness": Field(
            Duration(MS_PER_SECOND, MS_PER_DAY), "Arrivals later than this after the event become dead letters."
        ),
        "skew": Field(Duration(0, MS_PER_HOUR), "How far ahead a processor's clock may be."),
        "rate_max_age": Field(_days(0, 366), "Oldest exchange rate that may still be used."),
        "priority_weight": Field(
            Integer(1, 100),
            "Under backlog, so many records of the priority lane are taken for each one of the other lane.",
            required=False,
            default=4,
        ),
        "warm_until": Field(
            Moment(),
            "Payments loaded from before it are judged and remembered, and make no alert, review or action.",
            required=False,
        ),
        "policy_approvals": Field(
            Integer(1, 20), "How many different people, beside the proposer, must sign a change of this policy."
        ),
        "policy_approver_roles": Field(
            ListOf(_WORD, "a list of roles, such as [risk_officer]", least=1, most=20), "The roles of those people."
        ),
        "break_glass_roles": Field(
            _ROLES,
            "The roles that may break glass, alone and for four hours at most; without it nobody may.",
            required=False,
            default=(),
        ),
        "people": Field(ListOf(PERSON, "a list of people"), "Who may sign, with which keys."),
        "tiers": Field(ListOf(TIER, "a list of tiers, lowest first", least=1, most=20), "The tiers, lowest first."),
        "rules": Field(RULE_TABLE, "How each rule weighs, at every tier."),
        "bands": Field(
            ListOf(BAND, "a list of bands", least=1, most=20), "Which score ends in which outcome; together 0 to 109."
        ),
        "outcomes": Field(
            Record(
                "the outcome table",
                {name: Field(ACTION, f"What the outcome `{name}` asks for.") for name in OUTCOMES},
            ),
            "What follows from each outcome.",
        ),
        "cases": Field(
            INCIDENTS, "How alerts become cases; without it, as docs/cases.md says.", required=False, default={}
        ),
        "labels": Field(LABELS, "What labels lead to; without it, as docs/labels.md says.", required=False, default={}),
        "attestations": Field(
            ATTESTATIONS, "Whose word about applicants counts; without it nobody's does.", required=False
        ),
        "onboarding": Field(
            ONBOARDING, "How applications for a tier run; without it tiers are granted on paper.", required=False
        ),
        "profile": Field(
            Flag(),
            "Whether each payment teaches a profile of its customer: usual amounts, hours, categories, places.",
            required=False,
            default=False,
        ),
        "profile_shift": Field(
            PROFILE_SHIFT,
            "When a customer's week has left the customer's own profile; without it nobody looks.",
            required=False,
        ),
        "points": Field(
            POINTS, "Points calibrated on labels, as `evaluate` proposes them; without it none.", required=False
        ),
        "learned": Field(LEARNED, "The model that is asked, and from when on; without it none.", required=False),
    },
)


def build(values: dict[str, Any], digest: str) -> Policy:
    """The model of what `POLICY` read."""
    tiers = [{**tier, "rank": rank} for rank, tier in enumerate(values["tiers"])]
    rules = {name: {**rule, "name": name} for name, rule in values["rules"].items() if rule is not None}
    whole = {**values, "digest": digest, "tiers": tiers, "rules": rules}
    return msgspec.convert(whole, Policy, builtin_types=(bytes,))
