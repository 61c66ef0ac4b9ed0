"""What is said and what is kept depends on the records and their order, on nothing else."""

from collections.abc import Sequence
from itertools import zip_longest
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.record import InputRecord, Message
from tests.laws.judging_bench import Bench, Grants
from tests.laws.judging_memory import HOUR
from tests.laws.judging_steps import ANCHORS, DAY, Step, busy, policies, policy_text, rates, records, steps
from tests.laws.oracle import moment_of

GRANTS: Grants = {"gold-1": ("gold", moment_of("2026-09-01T00:00Z"))}
Result = tuple[list[Message], dict[bytes, bytes]]


def run(
    policy: str,
    story: Sequence[InputRecord],
    borders: Sequence[int] = (),
    restarts: Sequence[int] = (),
    cached: int = 9,
) -> Result:
    """Batches begin at each border; at a restart all is forgotten but the states."""
    bench = Bench(policy, GRANTS, cached)
    for known in rates(story[0].timestamp):
        bench.books.take(known)
    messages: list[Message] = []
    begin = 0
    for end in (*sorted({*borders, *restarts}), len(story)):
        messages += bench.take(story[begin:end])
        if end in restarts:
            bench.restart()
        begin = end
    return messages, bench.state()


def difference(result: Result, expected: Result) -> list[object]:
    """The first message and the first record that differ, or nothing."""
    said = [pair for pair in zip_longest(result[0], expected[0]) if pair[0] != pair[1]]
    kept, expected_kept = result[1], expected[1]
    states = [
        (key, kept.get(key), expected_kept.get(key))
        for key in sorted({*kept, *expected_kept})
        if kept.get(key) != expected_kept.get(key)
    ]
    return [*said[:1], *states[:1]]


def cuts(most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, most), max_size=8)


@settings(max_examples=50)
@given(policies, st.data())
def test_borders_memory_and_restarts_change_nothing(policy: tuple[str, str], data: st.DataObject) -> None:
    anchor = moment_of(data.draw(st.sampled_from(ANCHORS[policy[0]])))
    # In whatever order and at whatever time they arrive: this law has no other condition.
    story = [record for record in records(data.draw(steps(anchor))) if record.topic != "rates"]
    if not story:
        return
    text = policy_text(*policy, patterns=True)
    expected = run(text, story)
    borders, restarts = data.draw(cuts(len(story))), data.draw(cuts(len(story)))
    assert difference(run(text, story, borders, restarts), expected) == []
    assert difference(run(text, story, range(len(story)), cached=data.draw(st.integers(0, 1))), expected) == []


ARRIVALS = {
    "live": (0, 0, 0, 1, HOUR, 5 * HOUR, DAY - 1),
    "loaded": (0,),
    "wild": (0, 0, 0, HOUR, -HOUR // 12),
}


@settings(max_examples=10)
@given(st.sampled_from(sorted(ARRIVALS)), st.sampled_from(("plain", "masks")), st.integers(0, 10**6), st.data())
def test_borders_memory_and_restarts_change_nothing_for_the_busy(
    arrivals: str, flavour: str, seed: int, data: st.DataObject
) -> None:
    """Logs long enough to be sealed, dropped and indexed."""
    days = data.draw(st.sampled_from((0.5, 4, 12)))
    count = data.draw(st.sampled_from((300, 1_000)))
    story = arriving(busy(seed, count, days, ARRIVALS[arrivals]), arrivals)
    text = policy_text("America/New_York", flavour, patterns=True)
    expected = run(text, story)
    borders, restarts = data.draw(cuts(len(story))), data.draw(cuts(len(story)))
    assert difference(run(text, story, borders, restarts), expected) == []
    step = data.draw(st.sampled_from((20, 50, 333)))
    assert difference(run(text, story, range(0, len(story), step), cached=data.draw(st.integers(0, 1))), expected) == []


def arriving(drawn: Sequence[Step], arrivals: str) -> list[InputRecord]:
    made = records(drawn)
    if arrivals == "live":
        return sorted(made, key=lambda record: record.timestamp)
    if arrivals == "loaded":
        dice = Random(0)
        return sorted(made, key=lambda record: record.timestamp + dice.randrange(DAY))
    return made


def test_nothing_is_left_of_a_log_that_is_over() -> None:
    """Sealed in one batch and dropped in the next, with stretches that were sealed and dropped in between."""
    (any_step,) = busy(1, 1, 1, ARRIVALS["live"])
    begin = any_step.moment
    moments = [begin + at * HOUR // 8 for at in range(2_400)]
    moments += [moments[-1] + 50 * DAY + at for at in range(16)]
    pay = any_step._replace(kind="pay", customer="c-1", type="purchase", currency="USD")
    story = records([pay._replace(moment=moment) for moment in moments])
    bench = Bench(policy_text("America/New_York", "plain"), GRANTS)
    bench.take(story[:700])
    assert any(b"\0s" in key for key in bench.windows)
    bench.take(story[700:2_400])
    assert any(b"\0b" in key for key in bench.windows)
    bench.take(story[2_400:])
    assert set(bench.windows) == {b"c-1"}


def test_a_head_of_the_first_version_is_read_and_has_no_profile() -> None:
    """Written before there were profiles; what it says of the windows holds, and the profile begins now."""
    pay = busy(1, 1, 1, ARRIVALS["live"])[0]._replace(kind="pay", customer="c-1", type="purchase", currency="USD")
    story = records([pay._replace(moment=pay.moment + at * HOUR) for at in range(5)])
    old, new = (Bench(policy_text("America/New_York", "plain"), GRANTS) for _ in range(2))
    for bench in (old, new):
        bench.take(story[:4])
    arrived_ms, tail, settled, _ = msgspec.msgpack.decode(old.windows[b"c-1"][2:])
    old.windows[b"c-1"] = b"\x01\x00" + msgspec.msgpack.encode((arrived_ms, tail, settled))
    old.restart()
    assert old.take(story[4:]) == new.take(story[4:])
    assert msgspec.msgpack.decode(old.windows[b"c-1"][2:])[:3] == msgspec.msgpack.decode(new.windows[b"c-1"][2:])[:3]
