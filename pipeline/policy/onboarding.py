"""How somebody comes to be granted a tier: what each tier asks for, and the call-back that verifies who asks."""

from collections.abc import Iterator
from typing import Literal, get_args

from msgspec import Struct

from pipeline.policy.amounts import Amount
from pipeline.policy.containers import Field, ListOf, Record
from pipeline.policy.durations import Duration
from pipeline.policy.shapes import Choice, Flag, Integer, Text
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR

EvidenceKind = Literal["identity", "screening", "credit", "source_of_funds"]
EVIDENCE_KINDS: tuple[EvidenceKind, ...] = get_args(EvidenceKind)


class Criteria(Struct, frozen=True, kw_only=True):
    """What an applicant's file must show, and what the windows remember of the applicant's payments.

    At least `transactions_30d`, `amount_30d` (base minor units) and `active_weeks` of the last four; at most
    `chargebacks` in a year; no alert within `quiet_ms`.
    """

    evidence: tuple[EvidenceKind, ...]
    credit_score: int = 0
    delinquencies: int = 99
    transactions_30d: int = 0
    quiet_ms: int = 0
    amount_30d: int = 0
    active_weeks: int = 0
    chargebacks: int = 20


class Question(Struct, frozen=True, kw_only=True):
    """One question of a call-back: what it is about, and its words, which never hold an answer."""

    id: str
    fact: str
    asks: str


class CallBack(Struct, frozen=True, kw_only=True):
    """The call that verifies an applicant: within `window_ms`, to a number on file for `number_age_ms` at least."""

    window_ms: int
    attempts: int
    number_age_ms: int
    questions: int
    facts: int
    bank: tuple[Question, ...]


class Onboarding(Struct, frozen=True, kw_only=True):
    """How long each step may take, and whether a tier may be granted on paper alone, without an application."""

    paper: bool
    supplements_ms: int
    approval_ms: int
    call_back: CallBack


def _time(most_days: int) -> Duration:
    return Duration(MS_PER_HOUR, most_days * MS_PER_DAY)


CRITERIA = Record(
    "the criteria of a tier",
    {
        "evidence": Field(
            ListOf(Choice(*EVIDENCE_KINDS), "a list of kinds of evidence, such as [identity, screening]", least=1),
            "The kinds of evidence that must be on file, valid and without a finding.",
        ),
        "credit_score": Field(Integer(0, 1_000), "The least credit score.", required=False, default=0),
        "delinquencies": Field(Integer(0, 99), "The most delinquencies.", required=False, default=99),
        "transactions_30d": Field(
            Integer(0, 1_000_000), "The fewest transactions in the last 30 days.", required=False, default=0
        ),
        "quiet": Field(
            Duration(0, 30 * MS_PER_DAY), "How long no rule may have alerted.", required=False, default=0
        ),
        "amount_30d": Field(Amount(), "The least sum of the last 30 days.", required=False, default=0),
        "active_weeks": Field(
            Integer(0, 4),
            "In how many of the last four weeks something must have been paid.",
            required=False,
            default=0,
        ),
        "chargebacks": Field(
            Integer(0, 20),
            "The most payments of the last year that were found to be fraud.",
            required=False,
            default=20,
        ),
    },
)  # fmt: skip
QUESTION = Record(
    "a question: id, fact, asks",
    {
        "id": Field(Text("a name in lower case: letters, digits and _", "[a-z][a-z0-9_]{0,39}"), "Its name."),
        "fact": Field(
            Text("a name in lower case: letters, digits and _", "[a-z][a-z0-9_]{0,39}"),
            "What it is about; a mismatch about `identity` stops the admission at once.",
        ),
        "asks": Field(Text("a sentence", "[^\x00-\x1f\x7f]{1,200}"), "Its words; they never hold an answer."),
    },
)
CALL_BACK = Record(
    "the call-back",
    {
        "window": Field(_time(30), "How long from the moment it is due the customer may be called."),
        "attempts": Field(Integer(1, 10), "How often the customer is called before the application lapses."),
        "number_age": Field(
            Duration(0, 366 * MS_PER_DAY), "How long a telephone number must have been on file to be called."
        ),
        "questions": Field(Integer(1, 10), "How many questions are asked in one call."),
        "facts": Field(Integer(1, 10), "Over how many different facts, at least."),
        "bank": Field(ListOf(QUESTION, "a list of questions", least=1, most=100), "The questions there are."),
    },
)
ONBOARDING = Record(
    "how somebody comes to be granted a tier",
    {
        "paper": Field(Flag(), "Whether a tier may be granted on the evidence of paper files, without an application."),
        "supplements": Field(_time(366), "How long an application waits for what is missing."),
        "approval": Field(_time(366), "How long a verified application waits for its approval."),
        "call_back": Field(CALL_BACK, "The call that verifies the applicant."),
    },
)


def problems(terms: CallBack) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a call-back: the place within it, and what to do."""
    seen: set[str] = set()
    for at, question in enumerate(terms.bank):
        if question.id in seen:
            yield ("bank", at, "id"), "this name is taken by a question above: give each its own"
        seen.add(question.id)
    facts = {question.fact for question in terms.bank}
    if terms.facts > len(facts):
        yield ("facts",), f"the bank's questions are about {len(facts)} facts: add some, or ask for fewer"
    if terms.facts > terms.questions:
        yield ("facts",), f"{terms.questions} questions are about that many facts at most"
    if len(terms.bank) < 2 * terms.questions:
        yield ("bank",), f"{2 * terms.questions} questions are needed: whoever hesitates is asked as many again"
    if "identity" not in facts:
        yield ("bank",), "no question is about identity, and that is what a call-back is for"


def asks_less(lower: Criteria, upper: Criteria) -> str:
    """The first field in which the criteria of the upper tier ask for less than those of the lower, empty for none."""
    falls = {
        "evidence": not set(lower.evidence) <= set(upper.evidence),
        "credit_score": upper.credit_score < lower.credit_score,
        "delinquencies": upper.delinquencies > lower.delinquencies,
        "transactions_30d": upper.transactions_30d < lower.transactions_30d,
        "quiet": upper.quiet_ms < lower.quiet_ms,
        "amount_30d": upper.amount_30d < lower.amount_30d,
        "active_weeks": upper.active_weeks < lower.active_weeks,
        "chargebacks": upper.chargebacks > lower.chargebacks,
    }
    return next((name for name, less in falls.items() if less), "")
