"""Decisions equal a brute-force recomputation of all history: shuffled, late, twice, reversed, in any currency."""

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.record import InputRecord
from tests.laws.judging_bench import Bench, Grants, assert_same, told
from tests.laws.judging_memory import HOUR
from tests.laws.judging_oracle import Judge
from tests.laws.judging_steps import ANCHORS, DAY, policies, policy_text, rates, records, steps
from tests.laws.oracle import moment_of


def by_arrival(record: InputRecord) -> int:
    return record.timestamp


class Story(NamedTuple):
    """What arrives, in order; `rates` are known before."""

    zone: str
    flavour: str
    grants: Grants
    rates: list[InputRecord]
    records: list[InputRecord]

    def __repr__(self) -> str:
        lines = [f"{record.timestamp} {record.topic} {(record.value or b'').decode()}" for record in self.records]
        return "\n".join([f"{self.zone}, {self.flavour}, {self.grants}", *lines])


@st.composite
def live_stories(draw: st.DrawFn) -> Story:
    """The broker stamps what arrives: arrivals rise, and what happened is up to a day old."""
    zone, flavour = draw(policies)
    anchor = moment_of(draw(st.sampled_from(ANCHORS[zone])))
    drawn = draw(steps(anchor))
    until = anchor + draw(st.sampled_from((-DAY, 0, 3 * DAY)))
    return Story(zone, flavour, {"gold-1": ("gold", until)}, rates(anchor), sorted(records(drawn), key=by_arrival))


@st.composite
def loaded_stories(draw: st.DrawFn) -> Story:
    """History as it is replayed: each line arrives at its own time, and lines are out of order by up to a day."""
    zone, flavour = draw(policies)
    anchor = moment_of(draw(st.sampled_from(ANCHORS[zone])))
    made = records([step._replace(late=0) for step in draw(steps(anchor))])
    aside = draw(st.lists(st.sampled_from((0, 0, 1, HOUR, DAY)), min_size=len(made), max_size=len(made)))
    order = sorted(range(len(made)), key=lambda at: made[at].timestamp + aside[at])
    return Story(zone, flavour, {"gold-1": ("gold", anchor)}, rates(anchor), [made[at] for at in order])


def check(story: Story) -> None:
    policy = policy_text(story.zone, story.flavour)
    bench = Bench(policy, story.grants)
    judge = Judge(policy, story.grants)
    for record in (*story.rates, *story.records):
        assert record.value is not None
        if record.topic == "rates":
            assert bench.books.take(record) == []
            judge.rate(record.value)
        elif record.topic == "customer-events":
            bench.take([record])
            judge.event(record.value, record.timestamp)
        else:
            lane = "priority" if record.topic == "transactions-priority" else "standard"
            expected = judge.transaction(record.value, record.timestamp, lane)
            assert_same(told(bench.take([record])), expected)


@settings(max_examples=100)
@given(live_stories())
def test_live_decisions_equal_the_oracle(story: Story) -> None:
    check(story)


@settings(max_examples=100)
@given(loaded_stories())
def test_decisions_on_loaded_history_equal_the_oracle(story: Story) -> None:
    check(story)
