"""What holds for every record: one outcome each, repeats change nothing, every score has a band, bugs lose nothing."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import assess, customer_events, dispositions, partition, transactions
from pipeline.history import History
from pipeline.plan import Plan
from pipeline.policy.load import load_policy
from pipeline.record import InputRecord
from pipeline.rules import ALONE
from pipeline.sight import Finding
from pipeline.verdict import weigh
from schemas.decision import OUTCOMES
from tests.laws.judging_bench import Bench, Grants, told
from tests.laws.judging_steps import ANCHORS, busy, policies, policy_text, rates, records, steps
from tests.laws.oracle import moment_of

GRANTS: Grants = {"gold-1": ("gold", moment_of("2026-09-01T00:00Z"))}
PLAIN = policy_text("America/New_York", "plain")


def bench_with_rates(policy: str, story: list[InputRecord]) -> Bench:
    bench = Bench(policy, GRANTS)
    for known in rates(story[0].timestamp) if story else ():
        bench.books.take(known)
    return bench


@st.composite
def stories(draw: st.DrawFn) -> tuple[str, list[InputRecord]]:
    policy = draw(policies)
    drawn = records(draw(steps(moment_of(draw(st.sampled_from(ANCHORS[policy[0]]))))))
    # Rates and events are for others; here every record is a transaction.
    return policy_text(*policy), [record for record in drawn if record.topic.startswith("transactions")]


@settings(max_examples=60)
@given(stories())
def test_every_transaction_has_exactly_one_outcome(drawn: tuple[str, list[InputRecord]]) -> None:
    policy, story = drawn
    one_by_one, at_once = bench_with_rates(policy, story), bench_with_rates(policy, story)
    outcomes = [told(one_by_one.take([record])).outcome for record in story]
    messages = at_once.take(story)
    tally = at_once.partition.tally.drain()
    decisions = sum(count for name, count in tally.counts.items() if name[0] == "decisions")
    duplicates = sum(count for name, count in tally.counts.items() if name[0] == "duplicates")
    letters = sum(count for name, count in tally.counts.items() if name[0] == "dead_letters")
    assert decisions + duplicates + letters == len(story)
    assert decisions == outcomes.count("decided") == [message.topic for message in messages].count("decisions")
    assert duplicates == outcomes.count("duplicate") == len(at_once.partition.repeated)
    assert letters == [message.topic for message in messages].count("dead-letters")


def identity(record: InputRecord) -> bytes:
    body = json.loads(record.value or b"")
    return f"{body['source']} {body['transaction_id']}".encode()


@settings(max_examples=60)
@given(stories(), st.data())
def test_a_duplicate_changes_nothing(drawn: tuple[str, list[InputRecord]], data: st.DataObject) -> None:
    policy, story = drawn
    plain, repeated = bench_with_rates(policy, story), bench_with_rates(policy, story)
    decided: dict[bytes, InputRecord] = {}
    for record in sorted(story, key=lambda record: record.timestamp):
        messages = plain.take([record])
        assert repeated.take([record]) == messages
        if told(messages).outcome == "decided":
            decided[(record.key or b"") + identity(record)] = record
        again = data.draw(st.lists(st.sampled_from(list(decided.values())), max_size=2)) if decided else []
        for each in again:
            now = told(repeated.take([each._replace(timestamp=record.timestamp)])).outcome
            assert now in {"duplicate", "too_late"}
    assert repeated.state() == plain.state()


@settings(max_examples=60)
@given(policies, st.data())
def test_every_score_has_one_outcome(policy: tuple[str, str], data: st.DataObject) -> None:
    plan = Plan(load_policy(policy_text(*policy).encode()))
    rules = sorted(plan.rules)
    findings = [
        Finding(plan.rules[name], 1, fires=fires, fires_at_base=True)
        for name, fires in data.draw(st.lists(st.tuples(st.sampled_from(rules), st.booleans()), max_size=20))
    ]
    live = [finding.rule for finding in findings if finding.fires and finding.rule.mode == "live"]
    cooling = data.draw(
        st.dictionaries(
            st.sampled_from([rule.number for rule in plan.rules.values()]),
            st.tuples(st.integers(0, 10**9), st.integers(0, 3)),
        )
    )
    before = dict(cooling)
    verdict = weigh(findings, plan, cooling, 10**9)
    assert cooling == before
    assert verdict.score == (max(rule.points for rule in live) + min(len(live) - 1, 9) if live else 0)
    (band,) = [band for band in plan.policy.bands if band.low <= verdict.score <= band.high]
    assert verdict.outcome == max([OUTCOMES.index(band.outcome), *(rule.floor for rule in live)])
    told_before = {
        rule.number for rule in live if rule.number in cooling and cooling[rule.number][1] >= verdict.outcome
    }
    if not live or plan.actions[verdict.outcome] == plan.actions[0]:
        assert not verdict.cooled
    elif verdict.cooled:
        assert told_before == {rule.number for rule in live}
    else:
        assert verdict.action == plan.actions[verdict.outcome]
        assert set(verdict.cooling) == {rule.number for rule in live}


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_order_of_hashes_means_nothing(seed: str) -> None:
    """Python orders sets of texts anew in each process, unless it is told not to."""
    code = "from tests.laws.test_assess_house import fingerprint; print(fingerprint())"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint()


def fingerprint() -> str:
    story = sorted(records(busy(7, 400, 5, (0, 1, 10**7))), key=lambda record: record.timestamp)
    bench = bench_with_rates(policy_text("Europe/Berlin", "masks"), story)
    return sha256(repr((bench.take(story), sorted(bench.state().items()))).encode()).hexdigest()


def bug(*_: object) -> None:
    raise ZeroDivisionError("planted")


def never(*_: object, **__: object) -> bool:
    return False


def payments(count: int) -> list[InputRecord]:
    """Each of its own customer's, and decided if nothing goes wrong."""
    (story,) = [records([step._replace(kind="pay", currency="USD", late=0)]) for step in busy(3, 1, 1, (0,))]
    value = story[0].value or b""
    return [story[0]._replace(offset=at, value=value.replace(b'"t-0"', b'"t-%d"' % at)) for at in range(count)]


def test_a_bug_in_a_rule_keeps_the_record_and_harms_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = payments(3)
    bench, unharmed = Bench(PLAIN, GRANTS), Bench(PLAIN, GRANTS)
    expected = [*unharmed.take([first]), *unharmed.take([third])]
    said = bench.take([first])
    with monkeypatch.context() as patched:
        patched.setattr(assess, "is_unnoticed", never)
        patched.setattr(assess, "ALONE", (*ALONE, bug))
        (letter,) = bench.take([second])
    assert told([letter]).outcome == "crashed"
    assert (letter.key, letter.value) == (second.key, second.value)
    said += bench.take([third])
    assert (said, bench.state()) == (expected, unharmed.state())
    # After the fix the dead letter is replayed, and nothing stands in its way.
    assert told(bench.take([second])).outcome == "decided"


def test_a_bug_that_leaves_a_state_half_changed_stops_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    *first, second = payments(9)  # letting go waits for every fourth
    for place in ("_append", "_let_go"):
        bench = Bench(PLAIN, GRANTS)
        bench.take(first)
        before = bench.state()
        with monkeypatch.context() as patched:
            patched.setattr(History, place, bug)
            with pytest.raises(ZeroDivisionError):
                bench.take([second])
        # Whoever takes over begins from what was committed.
        bench.restart()
        assert bench.state() == before
        assert told(bench.take([second])).outcome == "decided"


def test_a_bug_after_remembering_stops_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assess, "_plain", bug)
    with pytest.raises(ZeroDivisionError):
        Bench(PLAIN, GRANTS).take(payments(1))


def test_too_many_bugs_stop_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assess, "is_unnoticed", never)
    monkeypatch.setattr(assess, "ALONE", (bug,))
    bench = Bench(PLAIN, GRANTS)
    story = payments(partition.MOST_CRASHES + 1)
    assert {told([letter]).outcome for letter in bench.take(story[:-1])} == {"crashed"}
    with pytest.raises(ZeroDivisionError):
        bench.take(story[-1:])


@pytest.mark.parametrize(
    "topic, module, name",
    [
        ("transactions", transactions, "validate"),
        ("customer-events", customer_events, "decode_customer_event"),
        ("dispositions", dispositions, "decode_disposition"),
    ],
)
def test_a_bug_in_reading_keeps_the_record(
    monkeypatch: pytest.MonkeyPatch, topic: str, module: ModuleType, name: str
) -> None:
    monkeypatch.setattr(module, name, bug)
    bench = Bench(PLAIN, GRANTS)
    assert told(bench.take([InputRecord(topic, 0, 0, 0, b"c", b"{}")])).outcome == "crashed"
    assert bench.state() == Bench(PLAIN, GRANTS).state()
