"""Break-glass told as events: one person, four hours, an end by itself, and somebody else who looks afterwards."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.books import Books
from pipeline.policy.book import SETTLE_MS
from pipeline.policy.break_glass import LONGEST_MS
from pipeline.policy.load import load_policy
from pipeline.policy.model import Policy
from pipeline.rates import Rates
from pipeline.record import InputRecord
from schemas.reasons import RefusalReason as Reason
from schemas.timestamps import MS_PER_HOUR, MS_PER_MINUTE, format_ms
from tests.policy_story import NOW, Story, yaml

ON_CALL = ("people:\n", "break_glass_roles: [desk]\npeople:\n")


class Night(Story):
    """Dan is on call; ana, ben and cleo approve policies."""

    def __init__(self) -> None:
        super().__init__(yaml(1, swap=ON_CALL))

    def smash(self, actor: str = "dan", *, minutes: float = 60, **fields: Any) -> Reason | None:  # noqa: ANN401 - JSON
        until = format_ms(self.now_ms + round(minutes * MS_PER_MINUTE))
        return self.publish("policy.glass_broken", actor, **{"rules": ["amount_1h"], "until": until, **fields})

    def mend(self, actor: str, broken: str = "e-0") -> Reason | None:
        return self.publish("policy.glass_mended", actor, broken=broken)

    def review(self, actor: str, broken: str = "e-0") -> Reason | None:
        return self.publish("policy.glass_reviewed", actor, broken=broken, finding="justified")

    @property
    def policy(self) -> Policy:
        return self.book.in_force(self.now_ms)

    @property
    def mode(self) -> str:
        return self.policy.rules["amount_1h"].mode


@pytest.fixture
def night() -> Night:
    return Night()


def test_a_rule_goes_to_shadow_seconds_later_and_comes_back_by_itself(night: Night) -> None:
    assert night.smash(minutes=60) is None
    assert [night.book.in_force(at).rules["amount_1h"].mode for at in (NOW, NOW + SETTLE_MS - 1)] == ["live"] * 2
    night.now_ms += SETTLE_MS
    assert night.mode == "shadow"
    assert (night.policy.version, night.policy.digest) == (1, night.book.versions.head.digest)
    assert night.policy.rules["amount_24h"].mode == "live"
    night.now_ms = NOW + MS_PER_HOUR - 1
    assert night.mode == "shadow"
    night.now_ms += 1
    assert night.mode == "live"


def test_a_rule_that_is_off_or_in_shadow_stays_what_it_is(night: Night) -> None:
    assert night.smash(rules=["night_amount", "amount_1h"]) is None
    night.now_ms += SETTLE_MS
    assert night.policy.rules["night_amount"].mode == "shadow"


def test_observe_only_asks_for_no_action_and_keeps_every_alert(night: Night) -> None:
    before = night.policy
    assert night.smash(rules=[], observe_only=True) is None
    night.now_ms += SETTLE_MS
    assert {action.account_action for action in night.policy.outcomes.values()} == {""}
    assert {name: each.alert for name, each in night.policy.outcomes.items()} == {
        name: each.alert for name, each in before.outcomes.items()
    }
    assert night.policy.rules == before.rules


def test_one_on_call_may_and_nobody_else(night: Night) -> None:
    assert night.smash("ana") is Reason.NOT_AUTHORISED
    assert night.smash("mallory") is Reason.UNKNOWN_PERSON
    assert night.smash("dan", signed_by="ana") is Reason.BAD_SIGNATURE
    nobody = Story()
    until = format_ms(NOW + MS_PER_HOUR)
    assert nobody.publish("policy.glass_broken", "dan", rules=["amount_1h"], until=until) is Reason.NOT_AUTHORISED


@pytest.mark.parametrize("fields", [{"rules": ["amount_2h"]}, {"rules": []}])
def test_it_names_what_it_quietens(night: Night, fields: dict[str, Any]) -> None:
    assert night.smash(**fields) is Reason.UNKNOWN_RULE


@pytest.mark.parametrize("minutes", [4 * 60 + 0.001, 0, SETTLE_MS / MS_PER_MINUTE])
def test_four_hours_is_the_longest_and_no_time_is_too_short(night: Night, minutes: float) -> None:
    assert night.smash(minutes=minutes) is Reason.GLASS_TOO_LONG
    assert night.smash(minutes=4 * 60) is None


def test_four_hours_are_not_stretched_by_breaking_it_again(night: Night) -> None:
    assert night.smash(minutes=4 * 60) is None
    night.now_ms += 3 * MS_PER_HOUR
    assert night.smash(rules=["count_1h"], minutes=60) is None
    assert night.smash(rules=["count_24h"], minutes=61) is Reason.GLASS_TOO_LONG
    night.now_ms = NOW + LONGEST_MS
    assert night.smash(minutes=30) is Reason.GLASS_TOO_LONG
    assert night.review("ana", "e-0") is None
    assert night.review("ana", "e-1") is None
    assert night.smash(minutes=30) is None


def test_it_can_be_mended_early_and_the_review_still_comes(night: Night) -> None:
    night.smash(minutes=240)
    night.now_ms += SETTLE_MS
    assert night.mend("ana") is None
    assert night.mode == "live"
    assert night.mend("dan") is Reason.UNKNOWN_GLASS
    assert [glass.event_id for glass in night.book.glasses.unreviewed()] == ["e-0"]
    assert night.review("ben") is None


def test_somebody_else_reviews_it_afterwards_once(night: Night) -> None:
    night.smash(minutes=60)
    assert night.review("ana") is Reason.GLASS_NOT_OVER
    night.now_ms += MS_PER_HOUR
    assert night.review("dan") is Reason.NOT_AUTHORISED
    assert night.review("ana", "e-9") is Reason.UNKNOWN_GLASS
    (glass,) = night.book.glasses.all
    assert (glass.waits(night.now_ms - 1), glass.waits(night.now_ms)) == (False, True)
    assert night.review("ana") is None
    assert not glass.waits(night.now_ms)
    assert night.review("ben") is Reason.UNKNOWN_GLASS


def test_an_approver_on_call_does_not_review_the_own_one() -> None:
    story = Story(yaml(1, swap=("people:\n", "break_glass_roles: [risk]\npeople:\n")))
    story.publish("policy.glass_broken", "ana", rules=["amount_1h"], until=format_ms(NOW + MS_PER_HOUR))
    story.now_ms += MS_PER_HOUR
    assert story.publish("policy.glass_reviewed", "ana", broken="e-0", finding="justified") is Reason.OWN_GLASS
    assert story.publish("policy.glass_reviewed", "ben", broken="e-0", finding="not_justified") is None


def test_a_version_that_takes_effect_meanwhile_is_quietened_too(night: Night) -> None:
    night.smash(minutes=240)
    new = yaml(2, swap=ON_CALL)
    night.enact(new, night.first)
    assert (night.version, night.mode) == (2, "shadow")


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 260), st.booleans()), max_size=5), st.integers(-10, 1500))
def test_a_reign_says_for_which_arrivals_a_policy_holds(broken: list[tuple[int, int, bool]], minute: int) -> None:
    night = Night()
    for number, (later, minutes, mended) in enumerate(broken):
        night.now_ms += later * MS_PER_MINUTE
        night.smash(minutes=minutes, rules=[["amount_1h", "count_1h"][number % 2]])
        if mended:
            night.now_ms += MS_PER_MINUTE
            for glass in night.book.glasses.all:
                night.mend("dan", glass.event_id)
    at_ms = NOW + minute * MS_PER_MINUTE
    policy, since_ms, until_ms = night.book.reign(at_ms)
    assert since_ms <= at_ms < until_ms
    inside = {max(since_ms, at_ms - MS_PER_HOUR), at_ms, min(until_ms, at_ms + MS_PER_HOUR) - 1}
    assert all(night.book.in_force(moment) is policy for moment in inside)
    quiet = {glass.rules for glass in night.book.glasses.all if glass.lasts(at_ms)}
    assert (night.book.in_force(at_ms).rules["amount_1h"].mode == "shadow") == (("amount_1h",) in quiet)
    assert all(glass.until_ms - glass.since_ms <= LONGEST_MS for glass in night.book.glasses.all)


def test_the_audit_says_what_it_does_and_asks_for_the_review(night: Night) -> None:
    night.smash(minutes=60, observe_only=True)
    books = Books(Night().book, Rates())
    assert load_policy(night.first.encode()).break_glass_roles == ("desk",)
    (event, arrival_ms), *_ = night.published
    value = msgspec.json.encode(event.fields)
    made = books.take(InputRecord("policies", 0, 0, arrival_ms, b"small", value))
    entries = [msgspec.json.decode(message.value or b"") for message in made]
    assert [entry["what"] for entry in entries] == ["policy.glass_broken", "policy.glass_review_requested"]
    assert entries[0]["detail"] == (
        "amount_1h in shadow, all account actions withheld, "
        "from 2026-03-01T12:00:05.000Z until 2026-03-01T13:00:00.000Z"
    )
    assert entries[1]["detail"] == "another approver than dan, once it is over"
    assert entries[1]["sequence"] == entries[0]["sequence"] + 1
