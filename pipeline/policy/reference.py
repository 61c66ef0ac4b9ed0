"""The reference of a policy's fields, for people: Markdown made from the table that the loader reads by."""

from collections.abc import Mapping

from pipeline.policy.containers import Field, Record
from pipeline.policy.fields import (
    ACTION,
    BAND,
    LIMITS,
    PERSON,
    POLICY,
    REVIEW,
    RULE_FIELDS,
    RULE_PARAMETERS,
    RULE_TABLE,
    TIER,
)
from pipeline.policy.incidents import CAMPAIGN, INCIDENTS, SERVICE
from pipeline.policy.issuers import ATTESTATIONS, ISSUER, ISSUER_KEY
from pipeline.policy.labels import LABELS
from pipeline.policy.learned import LEARNED, LEARNED_OUTCOMES
from pipeline.policy.onboarding import CALL_BACK, CRITERIA, ONBOARDING, QUESTION
from pipeline.policy.points import POINTS, POINTS_CASE, POINTS_OUTCOMES
from pipeline.policy.profile_shift import PROFILE_SHIFT
from pipeline.policy.shapes import Leaf

_SECTIONS: tuple[tuple[str, Mapping[str, Field]], ...] = (
    ("The whole", POLICY.fields),
    ("`people`, each", PERSON.fields),
    ("`tiers`, each", TIER.fields),
    ("`limits` of a tier", LIMITS.fields),
    ("`review` of a tier", REVIEW.fields),
    ("`criteria` of a tier", CRITERIA.fields),
    ("`rules`", RULE_TABLE.fields),
    ("Each rule", RULE_FIELDS),
    *((f"`{rule}` also", fields) for rule, fields in RULE_PARAMETERS.items()),
    ("`bands`, each", BAND.fields),
    ("`outcomes`, each", ACTION.fields),
    ("`profile_shift`", PROFILE_SHIFT.fields),
    ("`points`", POINTS.fields),
    ("`outcomes` of `points`", POINTS_OUTCOMES.fields),
    ("`tables` of `points`, each case", POINTS_CASE.fields),
    ("`learned`", LEARNED.fields),
    ("`outcomes` of `learned`", LEARNED_OUTCOMES.fields),
    ("`cases`", INCIDENTS.fields),
    ("`campaign` of `cases`", CAMPAIGN.fields),
    ("`labels`", LABELS.fields),
    ("`queues` of `cases`, each", SERVICE.fields),
    ("`onboarding`", ONBOARDING.fields),
    ("`attestations`", ATTESTATIONS.fields),
    ("`issuers` of `attestations`, each", ISSUER.fields),
    ("`keys` of an issuer, each", ISSUER_KEY.fields),
    ("`call_back` of `onboarding`", CALL_BACK.fields),
    ("`bank` of `call_back`, each", QUESTION.fields),
)


def reference() -> str:
    """One table for each part of a policy."""
    return "\n".join(_table(heading, fields) for heading, fields in _SECTIONS)


def _table(heading: str, fields: Mapping[str, Field]) -> str:
    rows = "".join(f"| `{name}` | {field.meaning} | {_expected(field)} |\n" for name, field in fields.items())
    return f"### {heading}\n\n| field | meaning | value |\n|---|---|---|\n{rows}"


def _expected(field: Field) -> str:
    """What may stand there; records have a table of their own."""
    words = "see its own table" if isinstance(field.shape, Record) else field.shape.words.replace("|", "\\|")
    if field.required:
        return words
    if not field.default:
        return f"{words}; may be left out"
    shape = field.shape
    default = shape.say(field.default, 0) if isinstance(shape, Leaf) else ", ".join(field.default)
    return f"{words}; without it {default}"
