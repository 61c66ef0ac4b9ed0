"""What is told late still counts: that somebody else answered a call, and that an approver gathered the evidence."""

import pytest

from schemas.call_back import CallBackRequest
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR, parse_ms
from tests.laws.life_told import START, Now, Told, about, admission, answers, filed, first_told, privileges, signed
from tests.laws.test_tipping_off import MADE

# Each step, told in its time: what is answered at the newest call, or that somebody settles the doubts.
PATHS = {
    "called_again": ("miss",),
    "verified_at_the_second_call": ("miss", "match"),
    "nobody_told_of_the_first_call": ("later", "match"),
    "asked_further": ("doubt",),
    "sure_at_last": ("doubt", "match"),
    "doubted": ("doubt", "doubt"),
    "settled": ("doubt", "doubt", "settle"),
    "admitted": ("miss", "match", "admit"),
}


def lived(path: tuple[str, ...]) -> tuple[Told, list[CallBackRequest], int]:
    """An applicant for gold, the calls that were issued, and when all of it had happened."""
    told, at_ms = first_told(), START
    for number, kind in enumerate(("submit", "identity", "credit", "clear", *path), start=1):
        at_ms += 4 * MS_PER_DAY if kind == "later" else MS_PER_HOUR
        told.look(at_ms)
        now = Now(at_ms, number, told.dossier, told.asked)
        if kind == "settle":
            assert told.tell(signed(about(now, "callback.confirmed"), ("ana", "ben")), at_ms)
        elif kind == "admit":
            assert told.tell(admission(now, "gold", ("ana", "ben"), applied=True), at_ms)
        elif kind != "later":
            assert told.tell(MADE[kind](now), at_ms)
    return told, [body for body in told.said if isinstance(body, CallBackRequest)], at_ms


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_who_answered_as_somebody_else_is_not_admitted(path: tuple[str, ...]) -> None:
    told, calls, at_ms = lived(path)
    first = calls[0]
    answered_ms = parse_ms(first.call_from) + 1
    late = answers(Now(answered_ms, 50, told.dossier, first), "mismatch")
    assert told.tell(late, at_ms + MS_PER_HOUR)
    now = Now(at_ms + 2 * MS_PER_HOUR, 51, told.dossier, told.asked)
    for fields in (
        MADE["match"](now),
        signed(about(now, "callback.confirmed"), ("ana", "ben")),
        admission(now._replace(at_ms=now.at_ms + MS_PER_HOUR, number=52), "gold", ("ana", "ben"), applied=True),
    ):
        told.tell(fields, now.at_ms + MS_PER_HOUR)
    assert privileges(told.dossier, now.at_ms + MS_PER_HOUR)[0] == 0


@pytest.mark.parametrize("result", ["match", "hesitant"])
def test_what_is_told_again_of_a_call_that_is_over_changes_nothing(result: str) -> None:
    told, calls, at_ms = lived(PATHS["called_again"])
    assert not told.tell(answers(Now(at_ms, 50, told.dossier, calls[0]), result), at_ms + MS_PER_HOUR)


def test_nobody_approves_what_they_gathered_once_another_has_filed_newer() -> None:
    told = first_told()

    def checked(hours: int, actor: str) -> bool:
        now = Now(START + hours * MS_PER_HOUR, hours, told.dossier, None)
        fields = filed(now, "identity.verified", method="video", document_kind="passport", actor=actor)
        return told.tell(fields, now.at_ms)

    assert checked(1, "ana")
    approval = admission(Now(START + 2 * MS_PER_HOUR, 2, told.dossier, None), "gold", ("ana", "ben"), applied=False)
    assert not told.tell(approval, START + 2 * MS_PER_HOUR)
    assert checked(3, "eve")
    assert not told.tell(approval, START + 4 * MS_PER_HOUR)
    anew = admission(Now(START + 5 * MS_PER_HOUR, 5, told.dossier, None), "gold", ("ana", "ben"), applied=False)
    assert told.tell(anew, START + 5 * MS_PER_HOUR)


def test_an_approval_that_lowers_is_not_lost_because_its_signer_files_later() -> None:
    told = first_told()
    given = admission(Now(START, 0, told.dossier, None), "gold", ("ana", "ben"), applied=False)
    lower = admission(Now(START + MS_PER_HOUR, 1, told.dossier, None), "silver", ("cho",), applied=False)
    now = Now(START + 2 * MS_PER_HOUR, 2, told.dossier, None)
    check = filed(now, "screening.completed", result="clear", list_version="1", actor="cho")
    assert told.tell(given, START)
    assert told.tell(check, now.at_ms)
    assert told.tell(lower, now.at_ms + MS_PER_HOUR)
    assert privileges(told.dossier, now.at_ms + MS_PER_HOUR)[0] == 1


def test_an_approval_of_an_application_that_nobody_knows_renews_nothing() -> None:
    told = first_told()
    assert told.tell(admission(Now(START, 0, told.dossier, None), "gold", ("ana", "ben"), applied=False), START)
    now = Now(START + MS_PER_HOUR, 1, told.dossier, None)
    unsigned = admission(now, "gold", ("ana", "ben"), applied=False)
    named = {name: value for name, value in unsigned.items() if name not in {"signature", "countersignatures"}}
    assert not told.tell(signed({**named, "application_id": "a-unknown"}, ("ana", "ben")), now.at_ms)
