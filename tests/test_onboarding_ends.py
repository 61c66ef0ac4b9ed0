"""A policy without `onboarding` takes the place of one that has it: what is open stays, and nobody is called."""

from msgspec.structs import replace

from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.life import Applied, apply
from pipeline.whitelist.on_time import announce
from schemas.timestamps import MS_PER_DAY, MS_PER_HOUR
from tests.grants import decoded
from tests.laws.life_told import CONDUCT, CUSTOMER, POLICY, START, Fields, Now, answers, filed, first_told, submit

WITHOUT = replace(POLICY, onboarding=None)


def stage(dossier: Dossier) -> str:
    return "" if dossier.application is None else dossier.application.stage


def told_without(fields: Fields, dossier: Dossier, at_ms: int) -> Dossier:
    event = decoded(fields)
    outcome = apply(event.message, event.fields, dossier, WITHOUT, at_ms, CONDUCT)
    assert isinstance(outcome, Applied)
    return outcome.dossier


def test_a_file_that_is_complete_leads_to_no_call() -> None:
    told = first_told()
    told.tell(submit(Now(START, 1, told.dossier, None), "silver", None), START)
    told.tell(
        filed(Now(START, 2, told.dossier, None), "identity.verified", method="video", document_kind="passport"), START
    )
    at_ms = START + MS_PER_HOUR
    clear = filed(Now(at_ms, 3, told.dossier, None), "screening.completed", result="clear", list_version="1")
    filed_all = told_without(clear, told.dossier, at_ms)
    assert stage(filed_all) == "applied"
    assert stage(announce(CUSTOMER, filed_all, at_ms + 90 * MS_PER_DAY, WITHOUT).dossier) == "lapsed"


def test_doubts_go_to_a_person_at_once() -> None:
    told = first_told()
    told.tell(submit(Now(START, 1, told.dossier, None), "silver", None), START)
    told.tell(
        filed(Now(START, 2, told.dossier, None), "identity.verified", method="video", document_kind="passport"), START
    )
    clear = filed(Now(START, 3, told.dossier, None), "screening.completed", result="clear", list_version="1")
    told.tell(clear, START)
    assert stage(told.dossier) == "pre_approved"
    at_ms = START + MS_PER_HOUR
    hesitant = answers(Now(at_ms, 4, told.dossier, told.asked), "hesitant")
    assert stage(told_without(hesitant, told.dossier, at_ms)) == "doubted"
