"""Whom a list names is told what everybody is told: with a hit and without, until somebody decides."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.account_action import AccountAction
from schemas.application_status import ApplicationStatus
from schemas.call_back import CallBackRequest
from schemas.entitlement import Entitlement
from schemas.notification import Notification
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR
from tests.laws.life_told import (
    START,
    Fields,
    Now,
    Told,
    about,
    admission,
    answers,
    event,
    filed,
    first_told,
    signed,
    submit,
)

MADE: dict[str, Callable[[Now], Fields]] = {
    "submit": lambda now: submit(now, "gold", None),
    "identity": lambda now: filed(now, "identity.verified", method="video", document_kind="passport", actor="eve"),
    "credit": lambda now: filed(now, "credit.assessed", bureau="b", score=700, delinquencies=0),
    "clear": lambda now: filed(now, "screening.completed", result="clear", list_version="2"),
    "hit": lambda now: filed(now, "screening.completed", result="hit", list_version="2"),
    "match": lambda now: answers(now, "match"),
    "doubt": lambda now: answers(now, "hesitant"),
    "mismatch": lambda now: answers(now, "mismatch"),
    "miss": lambda now: event(now, "callback.missed", attempt_id=now.asked.attempt_id if now.asked else "none"),
    "withdraw": lambda now: about(now, "application.withdrawn"),
}
_FILED = ("submit", "identity", "credit")
# What leads to each stage, and to each way of waiting there.
PATHS = {
    "supplements_needed": ("submit", "identity"),
    "waits_for_the_screening": _FILED,
    "pre_approved": (*_FILED, "clear"),
    "called_again": (*_FILED, "clear", "miss"),
    "asked_further": (*_FILED, "clear", "doubt"),
    "doubted": (*_FILED, "clear", "doubt", "doubt"),
    "ready": (*_FILED, "clear", "match"),
}
_BY_PEOPLE: dict[str, Callable[[Now], Fields]] = {
    "reinstated": lambda now: signed(event(now, "tier.reinstated"), ("ana", "ben")),
    "settled": lambda now: signed(about(now, "callback.confirmed"), ("ana", "ben")),
}
TOLD = ApplicationStatus | Notification | Entitlement | AccountAction
LATER = ("identity", "credit", "match", "doubt", "mismatch", "miss", "withdraw", "submit")


def lived(path: tuple[str, ...], result: str, later: list[tuple[str, int]]) -> tuple[Told, list[object]]:
    """A customer who is screened, and all that is said from then on.

    Of the calls that are answered later the last is that of before the screening: whom a list names nobody calls.
    """
    told = first_told()
    at_ms, number = START, 0
    for kind in path:
        at_ms, number = at_ms + MS_PER_HOUR, number + 1
        told.tell(MADE[kind](Now(at_ms, number, told.dossier, told.asked)), at_ms)
    asked, before = told.asked, len(told.said)
    for kind, days in ((result, 0), *later):
        at_ms, number = at_ms + days * MS_PER_DAY + MS_PER_HOUR, number + 1
        told.look(at_ms)
        told.tell(MADE[kind](Now(at_ms, number, told.dossier, asked)), at_ms + 1)
    return told, told.said[before:]


def heard(path: tuple[str, ...], result: str, later: list[tuple[str, int]]) -> list[object]:
    """What the customer hears, and the core system on their behalf, the next two months included."""
    told, said = lived(path, result, later)
    known = len(told.said)
    told.look(START + 90 * MS_PER_DAY)
    return [body for body in (*said, *told.said[known:]) if isinstance(body, TOLD)]


@pytest.mark.parametrize("stage", PATHS)
def test_time_tells_the_listed_applicant_what_it_tells_everybody(stage: str) -> None:
    listed = heard(PATHS[stage], "hit", [])
    assert listed == heard(PATHS[stage], "clear", [])
    assert [body.step for body in listed if isinstance(body, ApplicationStatus)][-1] == "lapsed"


@given(
    st.sampled_from(sorted(PATHS)),
    st.lists(st.tuples(st.sampled_from(LATER), st.sampled_from((0, 0, 2, 5))), min_size=1, max_size=4),
)
@example("supplements_needed", [("credit", 0)])
@example("pre_approved", [("withdraw", 0)])
@example("pre_approved", [("match", 0), ("withdraw", 2)])
def test_nothing_that_happens_tips_the_listed_applicant_off(stage: str, later: list[tuple[str, int]]) -> None:
    assert heard(PATHS[stage], "hit", later) == heard(PATHS[stage], "clear", later)


@pytest.mark.parametrize("stage", PATHS)
@pytest.mark.parametrize("later", [(), ("match",), ("doubt", "doubt"), ("credit", "match")])
def test_who_was_stopped_is_neither_called_nor_approved(stage: str, later: tuple[str, ...]) -> None:
    told, said = lived(PATHS[stage], "hit", [(kind, 0) for kind in later])
    assert not [body for body in said if isinstance(body, CallBackRequest)]
    at_ms = START + 2 * MS_PER_DAY
    for kind in ("clear", "reinstated", "settled"):
        now = Now(at_ms, 90 + len(kind), told.dossier, told.asked)
        made = MADE[kind](now) if kind == "clear" else _BY_PEOPLE[kind](now)
        told.tell(made, at_ms)
        at_ms += MS_PER_HOUR
    assert not told.tell(admission(Now(at_ms, 99, told.dossier, None), "gold", ("ana", "ben"), applied=True), at_ms)


def at_silver_heard(result: str, later: list[Callable[[Now], Fields]]) -> list[object]:
    """What is told to a customer at a tier who is screened, to whom something happens, until all has ended."""
    told = first_told()
    at_ms = START
    for number, kind in enumerate(("identity", "clear"), start=1):
        told.tell(MADE[kind](Now(at_ms, number, told.dossier, None)), at_ms)
    at_ms += MS_PER_HOUR
    assert told.tell(admission(Now(at_ms, 3, told.dossier, None), "silver", ("cho",), applied=False), at_ms)
    before = len(told.said)
    for number, make in enumerate((MADE[result], *later), start=4):
        at_ms += MS_PER_DAY
        told.look(at_ms)
        told.tell(make(Now(at_ms, number, told.dossier, told.asked)), at_ms)
    for _ in range(60):
        at_ms += 5 * MS_PER_DAY
        told.look(at_ms)
    return [body for body in told.said[before:] if isinstance(body, ApplicationStatus | Notification)]


@pytest.mark.parametrize("later", [(), ("removed",), ("submit",), ("submit", "withdraw"), ("clear", "reinstated")])
def test_the_listed_holder_of_a_tier_is_told_what_every_holder_is_told(later: tuple[str, ...]) -> None:
    makers = MADE | _BY_PEOPLE | {"removed": lambda now: event(now, "tier.removed")}
    made = [makers[kind] for kind in later]
    listed = at_silver_heard("hit", made)
    assert listed == at_silver_heard("clear", made)
    assert {"tier_changed"} <= {body.template for body in listed if isinstance(body, Notification)}
