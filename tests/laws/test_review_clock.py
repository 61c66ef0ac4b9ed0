"""The review clock hands out whom a look at everybody would find."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.whitelist.review_clock import ReviewClock


class ByHand:
    """The review clock as a list that is looked through: what is promised, without the promise of being quick."""

    def __init__(self) -> None:
        self.due: dict[str, int] = {}

    def put(self, customer_id: str, due_ms: int | None) -> None:
        self.due.pop(customer_id, None)
        if due_ms is not None:
            self.due[customer_id] = due_ms

    def take_due(self, clock_ms: int, limit: int) -> list[str]:
        ready = sorted((due_ms, customer_id) for customer_id, due_ms in self.due.items() if due_ms <= clock_ms)
        return [customer_id for due_ms, customer_id in ready[:limit] if self.due.pop(customer_id) == due_ms]


customers = st.sampled_from("abcde")
due_times = st.integers(0, 20)
puts = st.tuples(customers, st.none() | due_times)
takes = st.tuples(due_times, st.integers(0, 3))


@given(st.lists(st.one_of(puts, takes, st.tuples(st.just(()), due_times)), max_size=60))
def test_whoever_may_be_due_sooner_is_handed_out_when_it_is_so(does: list[tuple[Any, Any]]) -> None:
    clock, by_hand = ReviewClock(), ByHand()
    for one, other in does:
        if one == ():
            clock.sooner(lambda customer_id, most=other: ord(customer_id) % (most + 1), by_hand.due.get)  # type: ignore[misc]
        elif isinstance(one, str):
            clock.put(one, other)
            by_hand.put(one, other)
        else:
            assert clock.take_due(one, other) == by_hand.take_due(one, other)
        assert len(clock) == len(by_hand.due)
        assert (clock.next_ms() or 0) <= min(by_hand.due.values(), default=0)


@given(st.lists(st.one_of(puts, takes), max_size=60))
def test_the_review_clock_says_what_a_look_at_everybody_says(does: list[tuple[Any, Any]]) -> None:
    clock, by_hand = ReviewClock(), ByHand()
    for one, other in does:
        if isinstance(one, str):
            clock.put(one, other)
            by_hand.put(one, other)
        else:
            assert clock.take_due(one, other) == by_hand.take_due(one, other)
        assert len(clock) == len(by_hand.due)
        assert clock.next_ms() == min(by_hand.due.values(), default=None)
    again = ReviewClock(by_hand.due.items())
    assert again.take_due(20, 9) == clock.take_due(20, 9)
