"""A customer to whom anything may happen that an event can tell: how each is made, and what becomes of who is told."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pipeline.behaviour.weeks import Weeks
from pipeline.policy.load import load_policy
from pipeline.whitelist.allowances import limits_of, suppressed
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.life import Applied, Duplicate, apply
from pipeline.whitelist.on_time import announce
from pipeline.whitelist.outgoing import Outgoing
from pipeline.whitelist.tiers import tier_in_force
from schemas.call_back import CallBackRequest
from schemas.re_review import ReReview
from schemas.signing import sign
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, format_ms, parse_ms
from tests.grants import decoded, private_key

_YAML = Path(__file__).parents[1] / "scenarios" / "leaves-the-own-profile" / "policy.yaml"
POLICY = load_policy(_YAML.read_bytes())
START = parse_ms("2026-01-01T00:00:00Z")
CUSTOMER = "c-1"
CONDUCT = Conduct(transactions_30d=20)
# A week like no other, whoever the customer is.
ODD = Conduct(20, weeks=Weeks(START, (10**9, 1, 1, 1), (9, 1, 1, 1), (0, 0, 0, 0), (0, 0, 0, 0)))
PEOPLE = ("ana", "ben", "cho", "dan", "eve")
RULE = "amount_24h"
Fields = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]


class Now(NamedTuple):
    """What an event may refer to: the moment, what is known by then, and a number of its own."""

    at_ms: int
    number: int
    dossier: Dossier
    asked: CallBackRequest | None


def event(now: Now, event_type: str, **fields: object) -> Fields:
    return {
        "event_type": event_type,
        "event_id": f"e-{now.number}",
        "customer_id": CUSTOMER,
        "occurred_at": format_ms(now.at_ms),
        "actor": "desk",
        **fields,
    }


def signed(fields: Fields, signers: Sequence[str]) -> Fields:
    fields = {**fields, "actor": signers[0]}
    first, *others = ({"key_id": f"{name}-1", "value": sign(private_key(name), fields)} for name in signers)
    countersigned = [{"person": name, **one} for name, one in zip(signers[1:], others, strict=True)]
    return {**fields, "signature": first, "countersignatures": countersigned}


def filed(now: Now, kind: str, **fields: object) -> Fields:
    return event(now, kind, reference=f"r-{now.number}", issued_at=format_ms(now.at_ms), **fields)


def admission(now: Now, tier: str, signers: Sequence[str], *, applied: bool) -> Fields:
    application = now.dossier.application
    items = [
        {"kind": filed.kind, "reference": filed.reference, "issued_at": format_ms(filed.issued_ms)}
        for filed in now.dossier.file
    ]
    paper = [{"kind": "identity", "reference": "paper", "issued_at": format_ms(START - MS_PER_DAY)}]
    fields = event(
        now,
        "admission.approved",
        tier=tier,
        evidence=items if applied else paper,
        expires_at=format_ms(now.at_ms + 300 * MS_PER_DAY),
        review_at=format_ms(now.at_ms + 80 * MS_PER_DAY),
    )
    if applied and application is not None:
        fields["application_id"] = application.application_id
    return signed(fields, signers)


def answers(now: Now, result: str) -> Fields:
    asked = now.asked
    questions = [question.question_id for question in asked.questions] if asked is not None else ["none"]
    return event(
        now,
        "callback.answered",
        attempt_id=asked.attempt_id if asked is not None else "none",
        answers=[{"question_id": name, "result": result} for name in questions],
    )


def submit(now: Now, tier: str, limit: int | None) -> Fields:
    return event(
        now,
        "application.submitted",
        application_id=f"a-{now.number}",
        tier=tier,
        actor=CUSTOMER,
        consent={"notice_version": "1", "given_at": format_ms(now.at_ms)},
        limits={} if limit is None else {RULE: limit},
    )


def about(now: Now, kind: str) -> Fields:
    application = now.dossier.application
    return event(now, kind, application_id=application.application_id if application is not None else "none")


tiers = st.sampled_from(("silver", "gold"))
hands = st.sampled_from((("cho",), ("ana", "ben"), ("eve",), ("cho", "dan"), ("ana", "ana")))
limits = st.sampled_from((0, 300_000, 700_000, 900_000, 2_500_000))


def _until(draw: Draw, now: Now) -> str:
    return format_ms(now.at_ms + draw(st.sampled_from((MS_PER_HOUR, 5 * MS_PER_DAY, 40 * MS_PER_DAY))))


def _for_a_while(draw: Draw, now: Now) -> dict[str, str]:
    return {"until": _until(draw, now)} if draw(st.booleans()) else {}


def _wish(draw: Draw, now: Now) -> Fields:
    return event(now, "limit.change_requested", rule=RULE, limit=draw(limits), **_for_a_while(draw, now))


def _limit(draw: Draw, now: Now) -> Fields:
    fields = event(now, "limit.change_approved", rule=RULE, limit=draw(limits))
    return signed({**fields, **_for_a_while(draw, now)}, draw(hands))


def _suppression(draw: Draw, now: Now) -> Fields:
    fields = event(now, "suppression.approved", rule=RULE, until=_until(draw, now), grounds="travel_notice")
    return signed(fields, draw(hands))


def _missed(now: Now) -> Fields:
    return event(now, "callback.missed", attempt_id=now.asked.attempt_id if now.asked is not None else "none")


MAKE: dict[str, Callable[[Draw, Now], Fields]] = {
    "submit": lambda draw, now: submit(now, draw(tiers), draw(st.none() | limits)),
    "identity": lambda _, now: filed(now, "identity.verified", method="video", document_kind="passport", actor="eve"),
    "credit": lambda draw, now: filed(
        now, "credit.assessed", bureau="b", score=draw(st.sampled_from((500, 700, 700))), delinquencies=0
    ),
    "screening": lambda draw, now: filed(
        now, "screening.completed", result=draw(st.sampled_from(("clear", "clear", "clear", "hit"))), list_version="1"
    ),
    "phone": lambda _, now: event(now, "contact.changed", kind="phone", reference=f"n-{now.number}"),
    "answer": lambda draw, now: answers(now, draw(st.sampled_from(("match", "match", "mismatch", "hesitant")))),
    "miss": lambda _, now: _missed(now),
    "settle": lambda draw, now: signed(about(now, "callback.confirmed"), draw(hands)),
    "withdraw": lambda _, now: about(now, "application.withdrawn"),
    "decline": lambda _, now: about(now, "application.declined"),
    "admit": lambda draw, now: admission(now, draw(tiers), draw(hands), applied=False),
    "admit_applicant": lambda draw, now: admission(now, draw(tiers), draw(hands), applied=True),
    "reinstate": lambda draw, now: signed(event(now, "tier.reinstated"), draw(hands)),
    "lift": lambda draw, now: signed(event(now, "account.unfrozen"), draw(hands)),
    "ask": _wish,
    "limit": _limit,
    "suppress": _suppression,
    "unsuppress": lambda _, now: event(now, "suppression.ended", rule=RULE),
    "suspend": lambda _, now: event(now, "tier.suspended"),
    "remove": lambda _, now: event(now, "tier.removed"),
    "freeze": lambda _, now: event(now, "account.frozen"),
    "credential": lambda _, now: event(now, "credential.changed", kind="authenticator"),
    "fail": lambda _, now: event(now, "second_factor.failed", method="otp"),
}
KINDS = tuple(MAKE)


class Told:
    """A customer, told one event after the other."""

    def __init__(self) -> None:
        self.policy = POLICY
        self.dossier = Dossier()
        self.asked: CallBackRequest | None = None
        self.said: list[object] = []
        self.doubted_ms = START

    def tell(self, fields: Fields, at_ms: int) -> bool:
        event = decoded(fields)
        outcome = apply(event.message, event.fields, self.dossier, self.policy, at_ms, CONDUCT)
        if not isinstance(outcome, Duplicate):
            self.dossier = outcome.dossier
            self._hear(outcome.outgoing)
        return isinstance(outcome, Applied)

    def look(self, at_ms: int, conduct: Conduct = CONDUCT) -> None:
        told = announce(CUSTOMER, self.dossier, at_ms, self.policy, (), conduct)
        self.dossier = told.dossier
        self._hear(told.outgoing)
        if any(isinstance(one.body, ReReview) and one.body.why == "profile_shift" for one in told.outgoing):
            self.doubted_ms = at_ms

    def _hear(self, outgoing: Sequence[Outgoing]) -> None:
        for one in outgoing:
            self.said.append(one.body)
            if isinstance(one.body, CallBackRequest):
                self.asked = one.body


def first_told() -> Told:
    """A customer whose number has been on file for long."""
    told = Told()
    since_ms = START - 40 * MS_PER_DAY
    told.tell(event(Now(since_ms, 0, told.dossier, None), "contact.changed", kind="phone", reference="n-0"), since_ms)
    return told


def privileges(dossier: Dossier, at_ms: int) -> tuple[int, dict[str, int], set[str], bool]:
    """The rank of the tier, the limits, what is suppressed, and whether payments pass."""
    tier = tier_in_force(dossier, POLICY, at_ms)
    return tier.rank, limits_of(dossier, tier, at_ms), set(suppressed(dossier, at_ms)), not dossier.frozen
