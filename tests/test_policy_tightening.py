"""A tightened policy makes the customers it touches due for review, and no one else, and not all at once."""

from collections import Counter

from pipeline.policy.book import SETTLE_MS
from pipeline.policy.tightening import SPREAD_MS, Tightening, cause, due_ms, tightenings
from schemas.timestamps import MS_PER_DAY
from tests.test_policy_book import NOW, Story, yaml

STRICTER = yaml(2, swap=("amount_month: 9000", "amount_month: 8000"))
LOOSER = yaml(3, swap=("amount_month: 9000", "amount_month: 9500"))


def test_only_what_has_taken_effect_and_allows_less_counts() -> None:
    story = Story()
    story.enact(STRICTER, story.first)
    began = story.now_ms
    assert tightenings(story.book.versions, began - 1) == ()
    (found,) = tightenings(story.book.versions, began)
    assert found == (began, 2, "gold", ("gold: amount_month 9,000.00 -> 8,000.00 USD",))
    story.enact(LOOSER, STRICTER)
    assert tightenings(story.book.versions, story.now_ms) == (found,)
    story.roll_back("ana", STRICTER)
    story.roll_back("ben", STRICTER)
    story.now_ms += SETTLE_MS
    assert [(one.version, one.tier) for one in tightenings(story.book.versions, story.now_ms)] == [
        (2, "gold"),
        (2, "gold"),
    ]


def test_a_review_has_seen_what_was_in_force_by_then() -> None:
    first, second = (Tightening(NOW + days * MS_PER_DAY, 2 + days, "gold", ()) for days in (0, 3))
    other = Tightening(NOW + 9 * MS_PER_DAY, 9, "silver", ())
    known = (first, second, other)
    assert cause("gold", NOW - 1, known) == second
    assert cause("gold", second.effective_ms, known) is None
    assert cause("gold", NOW, (first, other)) is None
    assert cause("base", 0, known) is None


def test_reviews_are_spread_and_each_stays_where_it_is() -> None:
    tightening = Tightening(NOW, 2, "gold", ())
    due = [due_ms(f"c-{number}", tightening) for number in range(7_000)]
    assert due == [due_ms(f"c-{number}", tightening) for number in range(7_000)]
    assert all(NOW <= moment < NOW + SPREAD_MS for moment in due)
    a_day = Counter((moment - NOW) // MS_PER_DAY for moment in due)
    assert all(800 < a_day[day] < 1_200 for day in range(7))
