"""Nobody is privileged but by approval, whatever happens and whatever the order in which it is told."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.behaviour.weeks import Weeks
from pipeline.policy.load import load_policy
from pipeline.whitelist import table
from pipeline.whitelist.allowances import limits_of, suppressed
from pipeline.whitelist.conduct import Conduct
from pipeline.whitelist.dossier import Dossier, tier_at
from pipeline.whitelist.dossier_bytes import decode, encode
from pipeline.whitelist.entitlements import entitlement
from pipeline.whitelist.life import Applied, apply
from pipeline.whitelist.on_time import announce, due
from pipeline.whitelist.outgoing import Outgoing
from pipeline.whitelist.table import state_of
from pipeline.whitelist.tiers import tier_in_force
from schemas.account_action import AccountAction
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


def _event(now: Now, event_type: str, **fields: object) -> Fields:
    return {
        "event_type": event_type,
        "event_id": f"e-{now.number}",
        "customer_id": CUSTOMER,
        "occurred_at": format_ms(now.at_ms),
        "actor": "desk",
        **fields,
    }


def _signed(fields: Fields, signers: Sequence[str]) -> Fields:
    fields = {**fields, "actor": signers[0]}
    first, *others = ({"key_id": f"{name}-1", "value": sign(private_key(name), fields)} for name in signers)
    countersigned = [{"person": name, **one} for name, one in zip(signers[1:], others, strict=True)]
    return {**fields, "signature": first, "countersignatures": countersigned}


def _filed(now: Now, kind: str, **fields: object) -> Fields:
    return _event(now, kind, reference=f"r-{now.number}", issued_at=format_ms(now.at_ms), **fields)


def admission(now: Now, tier: str, signers: Sequence[str], *, applied: bool) -> Fields:
    application = now.dossier.application
    items = [
        {"kind": filed.kind, "reference": filed.reference, "issued_at": format_ms(filed.issued_ms)}
        for filed in now.dossier.file
    ]
    paper = [{"kind": "identity", "reference": "paper", "issued_at": format_ms(START - MS_PER_DAY)}]
    fields = _event(
        now,
        "admission.approved",
        tier=tier,
        evidence=items if applied else paper,
        expires_at=format_ms(now.at_ms + 300 * MS_PER_DAY),
        review_at=format_ms(now.at_ms + 80 * MS_PER_DAY),
    )
    if applied and application is not None:
        fields["application_id"] = application.application_id
    return _signed(fields, signers)


def answers(now: Now, result: str) -> Fields:
    asked = now.asked
    questions = [question.question_id for question in asked.questions] if asked is not None else ["none"]
    return _event(
        now,
        "callback.answered",
        attempt_id=asked.attempt_id if asked is not None else "none",
        answers=[{"question_id": name, "result": result} for name in questions],
    )


def submit(now: Now, tier: str, limit: int | None) -> Fields:
    return _event(
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
    return _event(now, kind, application_id=application.application_id if application is not None else "none")


tiers = st.sampled_from(("silver", "gold"))
hands = st.sampled_from((("cho",), ("ana", "ben"), ("eve",), ("cho", "dan"), ("ana", "ana")))
limits = st.sampled_from((0, 300_000, 700_000, 900_000, 2_500_000))


def _until(draw: Draw, now: Now) -> str:
    return format_ms(now.at_ms + draw(st.sampled_from((MS_PER_HOUR, 5 * MS_PER_DAY, 40 * MS_PER_DAY))))


def _limit(draw: Draw, now: Now) -> Fields:
    fields = _event(now, "limit.change_approved", rule=RULE, limit=draw(limits))
    return _signed({**fields, **({"until": _until(draw, now)} if draw(st.booleans()) else {})}, draw(hands))


def _suppression(draw: Draw, now: Now) -> Fields:
    fields = _event(now, "suppression.approved", rule=RULE, until=_until(draw, now), grounds="travel_notice")
    return _signed(fields, draw(hands))


def _missed(now: Now) -> Fields:
    return _event(now, "callback.missed", attempt_id=now.asked.attempt_id if now.asked is not None else "none")


MAKE: dict[str, Callable[[Draw, Now], Fields]] = {
    "submit": lambda draw, now: submit(now, draw(tiers), draw(st.none() | limits)),
    "identity": lambda _, now: _filed(now, "identity.verified", method="video", document_kind="passport", actor="eve"),
    "credit": lambda draw, now: _filed(
        now, "credit.assessed", bureau="b", score=draw(st.sampled_from((500, 700, 700))), delinquencies=0
    ),
    "screening": lambda draw, now: _filed(
        now, "screening.completed", result=draw(st.sampled_from(("clear", "clear", "clear", "hit"))), list_version="1"
    ),
    "phone": lambda _, now: _event(now, "contact.changed", kind="phone", reference=f"n-{now.number}"),
    "answer": lambda draw, now: answers(now, draw(st.sampled_from(("match", "match", "mismatch", "hesitant")))),
    "miss": lambda _, now: _missed(now),
    "settle": lambda draw, now: _signed(about(now, "callback.confirmed"), draw(hands)),
    "withdraw": lambda _, now: about(now, "application.withdrawn"),
    "decline": lambda _, now: about(now, "application.declined"),
    "admit": lambda draw, now: admission(now, draw(tiers), draw(hands), applied=False),
    "admit_applicant": lambda draw, now: admission(now, draw(tiers), draw(hands), applied=True),
    "reinstate": lambda draw, now: _signed(_event(now, "tier.reinstated"), draw(hands)),
    "lift": lambda draw, now: _signed(_event(now, "account.unfrozen"), draw(hands)),
    "ask": lambda draw, now: _event(now, "limit.change_requested", rule=RULE, limit=draw(limits)),
    "limit": _limit,
    "suppress": _suppression,
    "unsuppress": lambda _, now: _event(now, "suppression.ended", rule=RULE),
    "suspend": lambda _, now: _event(now, "tier.suspended"),
    "remove": lambda _, now: _event(now, "tier.removed"),
    "freeze": lambda _, now: _event(now, "account.frozen"),
    "credential": lambda _, now: _event(now, "credential.changed", kind="authenticator"),
    "fail": lambda _, now: _event(now, "second_factor.failed", method="otp"),
}
KINDS = tuple(MAKE)


class Told:
    """A customer, told one event after the other."""

    def __init__(self) -> None:
        self.dossier = Dossier()
        self.asked: CallBackRequest | None = None
        self.doubted_ms = START

    def tell(self, fields: Fields, at_ms: int) -> bool:
        event = decoded(fields)
        outcome = apply(event.message, event.fields, self.dossier, POLICY, at_ms, CONDUCT)
        if isinstance(outcome, Applied):
            self.dossier = outcome.dossier
            self._hear(outcome.outgoing)
        return isinstance(outcome, Applied)

    def look(self, at_ms: int, conduct: Conduct = CONDUCT) -> None:
        told = announce(CUSTOMER, self.dossier, at_ms, POLICY, (), conduct)
        self.dossier = told.dossier
        self._hear(told.outgoing)
        if any(isinstance(one.body, ReReview) and one.body.why == "profile_shift" for one in told.outgoing):
            self.doubted_ms = at_ms

    def _hear(self, outgoing: Sequence[Outgoing]) -> None:
        for one in outgoing:
            if isinstance(one.body, CallBackRequest):
                self.asked = one.body


def first_told() -> Told:
    """A customer whose number has been on file for long."""
    told = Told()
    since_ms = START - 40 * MS_PER_DAY
    told.tell(_event(Now(since_ms, 0, told.dossier, None), "contact.changed", kind="phone", reference="n-0"), since_ms)
    return told


def privileges(dossier: Dossier, at_ms: int) -> tuple[int, dict[str, int], set[str], bool]:
    """The rank of the tier, the limits, what is suppressed, and whether payments pass."""
    tier = tier_in_force(dossier, POLICY, at_ms)
    return tier.rank, limits_of(dossier, tier, at_ms), set(suppressed(dossier, at_ms)), not dossier.frozen


class Life(RuleBasedStateMachine):
    """A customer to whom anything may happen, in the order in which it occurs."""

    def __init__(self) -> None:
        super().__init__()
        self.told = first_told()
        self.now_ms = START
        self.number = 0
        self.approved: dict[str, tuple[str, ...]] = {}

    def tell(self, fields: Fields) -> None:
        self.told.tell(fields, self.now_ms)

    @rule(kind=st.sampled_from(KINDS), data=st.data(), hours=st.sampled_from((1, 5, 30)))
    def happens(self, kind: str, data: st.DataObject, hours: int) -> None:
        self.now_ms += hours * MS_PER_HOUR
        self.number += 1
        fields = MAKE[kind](data.draw, Now(self.now_ms, self.number, self.told.dossier, self.told.asked))
        if kind in {"admit", "admit_applicant"}:
            people = (fields["actor"], *(one["person"] for one in fields["countersignatures"]))
            self.approved[fields["event_id"]] = people
        self.tell(fields)

    @rule(data=st.data())
    def goes_well(self, data: st.DataObject) -> None:
        """All that leads to a tier, so that walks come further than chance would take them."""
        for kind in ("submit", "identity", "credit", "screening", "answer", "admit_applicant"):
            self.happens(kind, data, 1)

    @rule(days=st.sampled_from((1, 4, 20, 90)), conduct=st.sampled_from((CONDUCT, ODD)))
    def time_passes(self, days: int, conduct: Conduct) -> None:
        self.now_ms += days * MS_PER_DAY
        self.told.look(self.now_ms, conduct)

    @invariant()
    def no_tier_without_its_grounds(self) -> None:
        dossier, now_ms = self.told.dossier, self.now_ms
        if tier_at(dossier, now_ms) is None:
            assert privileges(dossier, now_ms)[:3] == (0, dict(POLICY.tiers[0].limits), set())
            return
        tier, grant = tier_in_force(dossier, POLICY, now_ms), dossier.grant
        assert grant is not None
        assert grant.approvers == self.approved[grant.event_id]
        assert len(set(grant.approvers)) >= tier.approvals >= 1
        assert grant.evidence
        assert now_ms < grant.grace_until_ms <= grant.expires_ms
        assert grant.review_ms < grant.expires_ms

    @invariant()
    def whoever_left_their_profile_proves_more_until_a_newer_grant(self) -> None:
        dossier, base = self.told.dossier, POLICY.tiers[0]
        tier = tier_in_force(dossier, POLICY, self.now_ms)
        trusted = dossier.grant is None or dossier.grant.granted_ms > self.told.doubted_ms
        proves = entitlement(CUSTOMER, dossier, POLICY, self.now_ms).authentication
        assert proves == (tier if trusted else base).authentication

    @invariant()
    def no_limit_is_above_the_ceiling(self) -> None:
        tier = tier_in_force(self.told.dossier, POLICY, self.now_ms)
        limits_now = limits_of(self.told.dossier, tier, self.now_ms)
        assert all(limit <= tier.limits[name] * tier.ceiling_pct // 100 for name, limit in limits_now.items())

    @invariant()
    def the_state_is_one_of_the_table(self) -> None:
        for region, states in table.STATES.items():
            assert state_of(region, self.told.dossier, self.now_ms) in states

    @invariant()
    def the_dossier_round_trips(self) -> None:
        assert decode(encode(self.told.dossier)) == self.told.dossier

    @invariant()
    def nothing_that_is_due_is_behind(self) -> None:
        self.told.look(self.now_ms)
        moment = due(CUSTOMER, self.told.dossier)
        assert moment is None or moment > self.now_ms


TestLife = Life.TestCase


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Fields], list[int]]:
    """Events as they occurred, each made when the ones before were known; and when."""
    told, at_ms = first_told(), START
    path = draw(st.sampled_from(((), ("submit", "identity", "credit", "screening", "answer", "admit_applicant"))))
    kinds = [*path, *draw(st.lists(st.sampled_from(KINDS), max_size=8))]
    given_events: list[Fields] = []
    moments: list[int] = []
    for number, kind in enumerate(kinds, start=1):
        at_ms += draw(st.sampled_from((1, 3))) * MS_PER_HOUR
        fields = MAKE[kind](draw, Now(at_ms, number, told.dossier, told.asked))
        told.tell(fields, at_ms)
        given_events.append(fields)
        moments.append(at_ms)
    return given_events, moments


@given(stories(), st.data())
def test_no_delay_and_no_order_leaves_anybody_more_privileged(
    story: tuple[list[Fields], list[int]], data: st.DataObject
) -> None:
    events, moments = story
    if not events:
        return
    orderly = first_told()
    for fields, at_ms in zip(events, moments, strict=True):
        orderly.tell(fields, at_ms)
    delays = data.draw(st.lists(st.sampled_from((0, 0, 2, 4, 9)), min_size=len(events), max_size=len(events)))
    again = data.draw(st.lists(st.integers(0, len(events) - 1), max_size=3))
    arrivals = [
        (at_ms + delay * MS_PER_HOUR, at) for at, (at_ms, delay) in enumerate(zip(moments, delays, strict=True))
    ]
    arrivals += [(moments[at] + 10 * MS_PER_HOUR, at) for at in again]
    disorderly = first_told()
    for arrival_ms, at in sorted(arrivals):
        disorderly.tell(events[at], arrival_ms)
    for hours in (11, 30, 24 * 7, 24 * 50):
        at_ms = moments[-1] + hours * MS_PER_HOUR
        rank, limits_now, quiet, passes = privileges(orderly.dossier, at_ms)
        late_rank, late_limits, late_quiet, late_passes = privileges(disorderly.dossier, at_ms)
        assert late_rank <= rank
        assert late_quiet <= quiet
        assert late_passes <= passes
        assert late_rank < rank or all(late_limits[name] <= limit for name, limit in limits_now.items())


@given(stories())
def test_the_core_system_believes_the_tier_that_holds(story: tuple[list[Fields], list[int]]) -> None:
    events, moments = story
    dossier, believed = Dossier(), "base"
    for fields, at_ms in zip(events, moments, strict=True):
        event = decoded(fields)
        outcome = apply(event.message, event.fields, dossier, POLICY, at_ms, CONDUCT)
        if not isinstance(outcome, Applied):
            continue
        dossier = outcome.dossier
        for one in outcome.outgoing:
            if isinstance(one.body, AccountAction) and one.body.action == "tier_change":
                assert one.body.tier_from == believed
                believed = one.body.tier_to
        assert believed == tier_in_force(dossier, POLICY, at_ms).name
