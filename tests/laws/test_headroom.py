"""Where it is known beforehand that no limit can be passed, nobody looks: all is said and kept as if somebody had."""

from functools import cache
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.headroom import Headroom
from pipeline.policy.load import default_yaml
from pipeline.record import InputRecord, Message
from tests.laws.judging_bench import Bench, Grants
from tests.laws.judging_memory import HOUR
from tests.laws.judging_steps import ANCHORS, DAY, busy, policies, policy_text, rates, records, steps
from tests.laws.oracle import moment_of

GRANTS: Grants = {"gold-1": ("gold", moment_of("2026-09-01T00:00Z"))}
Result = tuple[list[Message], dict[bytes, bytes]]


@cache
def roomy(zone: str, flavour: str, times: int) -> str:
    """A policy of so many times the limits, so that some fit and some do not, and with a burst."""
    policy = yaml.safe_load(policy_text(zone, flavour))
    policy["rules"]["burst"] = {**yaml.safe_load(default_yaml())["rules"]["burst"], "count": 2 * times, "times": 1}
    for tier in policy["tiers"]:
        tier["limits"] = {name: times * limit for name, limit in tier["limits"].items()}
    return yaml.safe_dump(policy)


def run(policy: str, story: list[InputRecord], *, look: bool) -> Result:
    """What is said and kept; `look`: every window is asked every time."""
    with pytest.MonkeyPatch.context() as patched:
        if look:
            patched.setattr(Headroom, "holds", never)
            patched.setattr(Headroom, "holds_in_hour", never)
        bench = Bench(policy, GRANTS)
        for known in rates(story[0].timestamp):
            bench.books.take(known)
        return bench.take(story), bench.state()


def never(*_: object) -> bool:
    return False


@settings(max_examples=100)
@given(policies, st.data())
def test_nobody_need_look_where_there_is_headroom(policy: tuple[str, str], data: st.DataObject) -> None:
    anchor = moment_of(data.draw(st.sampled_from(ANCHORS[policy[0]])))
    story = [record for record in records(data.draw(steps(anchor))) if record.topic != "rates"]
    if data.draw(st.booleans()):
        story.sort(key=lambda record: record.timestamp)
    if story:
        text = roomy(*policy, data.draw(st.sampled_from((1, 2, 4))))
        assert run(text, story, look=False) == run(text, story, look=True)


@pytest.mark.parametrize("flavour", ["plain", "masks"])
@pytest.mark.parametrize("lateness", [(0,), (0, 0, 0, 1, HOUR), (0, HOUR, DAY - 1)])
def test_nobody_need_look_at_the_busy(flavour: str, lateness: tuple[int, ...]) -> None:
    for seed in range(4):
        text = roomy("America/New_York", flavour, 3 + 2 * seed)
        days = Random(seed).choice((10, 20, 60))
        story = sorted(records(busy(seed, 400, days, lateness)), key=lambda record: record.timestamp)
        assert run(text, story, look=False) == run(text, story, look=True)
