"""The order of history: whatever the fetches, records leave in the order of their times, and none is held for ever."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from agents.engine.merge import FULL, Merge

TOPICS = ("payments", "events", "labels")


class Record(NamedTuple):
    topic: str
    offset: int
    timestamp: int


LOGS = st.fixed_dictionaries({topic: st.lists(st.integers(0, 20), max_size=12).map(sorted) for topic in TOPICS})


@given(LOGS, st.data())
def test_records_leave_by_time_and_topic_whatever_the_fetches_bring(
    logs: dict[str, list[int]], data: st.DataObject
) -> None:
    log = {topic: [Record(topic, offset, at) for offset, at in enumerate(times)] for topic, times in logs.items()}
    merge = Merge[Record](TOPICS)
    released: list[Record] = []
    read = dict.fromkeys(TOPICS, 0)
    while any(read[topic] < len(log[topic]) for topic in TOPICS):
        topic = data.draw(st.sampled_from([topic for topic in TOPICS if read[topic] < len(log[topic])]))
        end = data.draw(st.integers(read[topic] + 1, len(log[topic])))
        merge.hold(topic, log[topic][read[topic] : end])
        read[topic] = end
        released += merge.release({topic for topic in TOPICS if read[topic] == len(log[topic])})
    released += merge.release(TOPICS)
    everything = [record for topic in TOPICS for record in log[topic]]
    assert released == sorted(
        everything, key=lambda record: (record.timestamp, TOPICS.index(record.topic), record.offset)
    )


def test_a_topic_that_may_have_something_earlier_is_waited_for() -> None:
    merge = Merge[Record](TOPICS)
    merge.hold("payments", [Record("payments", 0, 5), Record("payments", 1, 9)])
    assert merge.release({"labels"}) == []
    merge.hold("events", [Record("events", 0, 7)])
    assert [record.timestamp for record in merge.release({"labels"})] == [5, 7]
    assert [record.timestamp for record in merge.release({"labels", "events"})] == [9]


def test_a_topic_of_which_enough_is_held_is_full() -> None:
    merge = Merge[Record](TOPICS)
    merge.hold("payments", [Record("payments", offset, offset) for offset in range(FULL)])
    assert merge.full("payments")
    assert not merge.full("events")
    assert len(merge.release(TOPICS)) == FULL
    assert not merge.full("payments")
