"""A customer to whom approvals, freezes and looks at the clock happen, in any order: for laws."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.life import Duplicate, Refusal
from pipeline.whitelist.on_time import announce
from pipeline.whitelist.outgoing import Outgoing
from schemas.timestamps import format_ms
from tests.grants import (
    CUSTOMER,
    DAY,
    POLICY,
    START,
    admission,
    arrive,
    document,
    fields_of,
    freeze,
    lift,
)

LAST_DAY = 1_000
END = START + LAST_DAY * DAY
DEFECTS = ("", "unsigned", "one_hand", "no_evidence", "old_evidence", "no_end", "no_review")


class Sent(NamedTuple):
    """One event as a law draws it; the day it occurred on names it."""

    kind: str
    day: int
    tier: str = "gold"
    defect: str = ""
    review_days: int = 90
    expiry_days: int = 365


@cache
def fields(sent: Sent) -> dict[str, Any]:
    at = START + sent.day * DAY
    if sent.kind != "admission":
        return {
            "freeze": lambda: freeze(at),
            "lift": lambda: lift(at),
            "payee": lambda: fields_of("payee.added", at, payee_id="p-1"),
        }[sent.kind]()
    expired = document(expires_at=format_ms(at))
    changes: dict[str, dict[str, object]] = {
        "no_evidence": {"evidence": []},
        "old_evidence": {"evidence": [expired]},
        "no_end": {"expires_at": format_ms(at + 401 * DAY)},
        "no_review": {"review_at": format_ms(at + 91 * DAY)},
    }
    made = admission(
        at,
        sent.tier,
        **{
            "event_id": f"{sent}",
            "review_at": format_ms(at + sent.review_days * DAY),
            "expires_at": format_ms(at + sent.expiry_days * DAY),
            **changes.get(sent.defect, {}),
        },
    )
    if sent.defect == "unsigned":
        return {**made, "reason_code": "forged"}
    if sent.defect == "one_hand":
        return {**made, "countersignatures": [{"person": "ana", **made["signature"]}]}
    return made


def admissions(defects: Sequence[str] = ("",)) -> st.SearchStrategy[Sent]:
    return st.builds(
        Sent,
        st.just("admission"),
        st.integers(0, 300),
        st.sampled_from(("silver", "gold")),
        st.sampled_from(defects),
        st.sampled_from((3, 60, 90)),
        st.sampled_from((95, 100, 365)),
    )


others = st.builds(Sent, st.sampled_from(("freeze", "lift", "payee")), st.integers(0, 300))


class Step(NamedTuple):
    """On a day, an event arrives or, without one, somebody looks at the clock."""

    day: int
    sent: Sent | None


def in_order_of_arrival(arrivals: Iterable[tuple[Sent, int]], ticks: Iterable[int]) -> list[Step]:
    steps = [Step(min(sent.day + delay, LAST_DAY), sent) for sent, delay in arrivals]
    return sorted([*steps, *(Step(day, None) for day in ticks)], key=lambda step: (step.day, step.sent is None))


delays = st.one_of(st.just(0), st.integers(0, 200))
ticks = st.lists(st.integers(0, LAST_DAY), max_size=12)
sound = st.lists(st.tuples(st.one_of(admissions(), others), delays), max_size=8)
any_events = st.lists(st.tuples(st.one_of(admissions(DEFECTS), others), delays), max_size=8)


class Moment(NamedTuple):
    """After one step: the dossier before and after it, what was said, and when."""

    now: int
    before: Dossier
    after: Dossier
    outgoing: tuple[Outgoing, ...]


def live(steps: Iterable[Step]) -> Iterator[Moment]:
    dossier = Dossier()
    for day, sent in steps:
        now = START + day * DAY
        if sent is None:
            told = announce(CUSTOMER, dossier, now, POLICY)
            moment = Moment(now, dossier, told.dossier, told.outgoing)
        else:
            outcome = arrive(fields(sent), dossier, now)
            # What is refused, and leaves no trace, is an entry on the audit, the same however often it is sent.
            if isinstance(outcome, Duplicate) or (isinstance(outcome, Refusal) and outcome.dossier == dossier):
                moment = Moment(now, dossier, dossier, ())
            else:
                moment = Moment(now, dossier, outcome.dossier, outcome.outgoing)
        yield moment
        dossier = moment.after
