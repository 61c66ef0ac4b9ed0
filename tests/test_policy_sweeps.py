"""What is tightened for many makes those it touches due for review, and no one else, and not all at once."""

from collections import Counter
from dataclasses import replace

from pipeline.policy.book import SETTLE_MS
from pipeline.policy.sweeps import SPREAD_MS, Sweep, begins_ms
from pipeline.whitelist.dossier import Dossier, Filed
from pipeline.whitelist.on_time import announce, due
from pipeline.whitelist.sweeping import LOOK_WITHIN_MS, swept_ms
from pipeline.whitelist.transition import Ahead
from schemas.re_review import ReReview
from schemas.reasons import RefusalReason as Reason
from schemas.timestamps import MS_PER_DAY, parse_ms
from tests.grants import CUSTOMER, POLICY, START, admission, after
from tests.policy_story import NOW, Story, yaml

STRICTER = yaml(2, swap=("amount_month: 9000", "amount_month: 8000"))
LOOSER = yaml(3, swap=("amount_month: 9000", "amount_month: 9500"))
GRANTED = after((admission(START), START))


def tightening(at_ms: int, tier: str = "gold") -> Sweep:
    return Sweep("policy_tightened", at_ms, tier, "2", ("amount_24h",))


def changed_list(at_ms: int) -> Sweep:
    return Sweep("screening_list_changed", at_ms, "", "2026-2", ("screening",))


def turn(dossier: Dossier, *sweeps: Sweep) -> int | None:
    return swept_ms(dossier, Ahead(CUSTOMER, sweeps))


def test_only_a_version_that_allows_less_is_a_sweep_and_going_back_to_it_is_one_too() -> None:
    story = Story()
    story.enact(STRICTER, story.first)
    (found,) = story.book.sweeps
    assert found == ("policy_tightened", story.now_ms, "gold", "2", ("amount_month",))
    story.enact(LOOSER, STRICTER)
    assert story.book.sweeps == (found,)
    story.roll_back("ana", STRICTER)
    story.roll_back("ben", STRICTER)
    story.now_ms += SETTLE_MS
    assert [(one.name, one.tier) for one in story.book.sweeps] == [("2", "gold"), ("2", "gold")]


def test_a_changed_screening_list_is_one_for_every_tier_and_takes_the_word_of_a_person_of_the_policy() -> None:
    story = Story()
    assert story.publish("screening_list.changed", "nobody", list_version="2026-2") is Reason.UNKNOWN_PERSON
    assert story.publish("screening_list.changed", "dan", list_version="2026-2") is None
    assert story.book.sweeps == (Sweep("screening_list_changed", story.now_ms, "", "2026-2", ("screening",)),)


def test_a_review_has_seen_what_was_in_force_by_then() -> None:
    first, second = tightening(START + 3 * MS_PER_DAY), tightening(START + 6 * MS_PER_DAY)
    assert turn(GRANTED, first, second) == begins_ms(CUSTOMER, second)
    assert turn(GRANTED, tightening(START)) is None
    assert turn(GRANTED, tightening(START + 1, "silver")) is None
    assert turn(Dossier(), first) is None
    ended = announce(CUSTOMER, GRANTED, START + 400 * MS_PER_DAY, POLICY).dossier
    assert turn(ended, tightening(START + 401 * MS_PER_DAY)) is None


def test_each_cause_is_asked_for_once_and_in_its_turn() -> None:
    sweeps = changed_list(START + MS_PER_DAY), tightening(START + 20 * MS_PER_DAY)
    first_ms, second_ms = (begins_ms(CUSTOMER, one) for one in sweeps)
    assert due(CUSTOMER, GRANTED, sweeps) == first_ms
    dossier, outgoing = announce(CUSTOMER, GRANTED, first_ms, POLICY, sweeps)
    (request,) = (one.body for one in outgoing)
    assert isinstance(request, ReReview)
    assert (request.why, request.check, request.grace_until) == ("screening_list_changed", ("screening",), None)
    assert parse_ms(request.due_at) == first_ms + LOOK_WITHIN_MS
    assert announce(CUSTOMER, dossier, second_ms - 1, POLICY, sweeps) == (dossier, ())
    dossier, outgoing = announce(CUSTOMER, dossier, second_ms, POLICY, sweeps)
    assert [one.body.why for one in outgoing if isinstance(one.body, ReReview)] == ["policy_tightened"]
    assert turn(dossier, *sweeps) is None


def test_whoever_was_screened_by_the_new_list_is_not_screened_again() -> None:
    filed = Filed("screening", "r-1", START, START + 5 * MS_PER_DAY, None, "eve", (("result", "clear"),))
    screened = replace(GRANTED, file=(filed,))
    assert turn(screened, changed_list(START + 4 * MS_PER_DAY)) is None
    assert turn(screened, changed_list(START + 6 * MS_PER_DAY)) is not None


def test_turns_are_spread_evenly_and_each_stays_where_it_is() -> None:
    sweep = tightening(NOW)
    turns = [begins_ms(f"c-{number}", sweep) for number in range(7_000)]
    assert turns == [begins_ms(f"c-{number}", sweep) for number in range(7_000)]
    assert all(NOW <= moment < NOW + SPREAD_MS[sweep.why] for moment in turns)
    a_day = Counter((moment - NOW) // MS_PER_DAY for moment in turns)
    assert all(800 < a_day[day] < 1_200 for day in range(7))
    assert max(Counter((moment - NOW) // 60_000 for moment in turns).values()) < 20
