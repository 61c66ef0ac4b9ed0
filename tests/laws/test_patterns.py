"""What holds for every rule that knows a pattern: each is tried on its own story, and on what is near to it.

A new pattern needs an entry in the registry and a story of its name in `tests/scenarios`; then the laws are its own.
"""

import json
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assess import judge
from pipeline.history_bytes import digest_of
from pipeline.plan import Plan
from pipeline.policy.load import default_yaml, load_policy
from pipeline.policy.model import PATTERN_RULES
from pipeline.record import InputRecord, Message
from pipeline.rules import PATTERNS
from pipeline.validate import Intake, validate
from schemas.timestamps import format_ms, parse_ms
from schemas.topics import SHARED_TOPICS
from tests.laws.judging_bench import Bench

SCENARIOS = Path(__file__).parents[1] / "scenarios"
POLICY = (SCENARIOS.parent / "stories" / "patterns.yaml").read_text()
REQUIRED = {"transaction_id", "source", "customer_id", "occurred_at", "amount", "currency", "transaction_type"}
Line = dict[str, Any]
Result = tuple[list[Message], dict[bytes, bytes]]

of_every_pattern = pytest.mark.parametrize("rule", PATTERN_RULES)


@cache
def story(rule: str) -> tuple[Line, ...]:
    """Return what arrives in the story of a rule."""
    given_ = SCENARIOS / rule.replace("_", "-") / "given.jsonl"
    return tuple(json.loads(line) for line in given_.read_text().splitlines())


def record(line: Line, number: int) -> InputRecord:
    body = line["value"]
    arrival = parse_ms(_time(line))
    return InputRecord(line["topic"], 0, number, arrival, _key(line["topic"], body).encode(), json.dumps(body).encode())


def _key(topic: str, body: dict[str, Any]) -> str:
    if topic in SHARED_TOPICS:
        return "/".join(body[name] for name in ("list", "kind", "value") if name in body)
    return str(body["customer_id"])


def _time(line: Line) -> str:
    return str(line["value"].get("occurred_at") or line["timestamp"])


def records(lines: Sequence[Line]) -> list[InputRecord]:
    return [record(line, number) for number, line in enumerate(lines)]


def run(lines: Sequence[InputRecord], borders: Collection[int] = (), cached: int = 20_000) -> Result:
    """Return everything said and kept; what every worker reads whole is taken between two batches."""
    bench = Bench(POLICY, {}, cached)
    said: list[Message] = []
    batch: list[InputRecord] = []
    for number, line in enumerate(lines):
        if line.topic in SHARED_TOPICS or number in borders:
            said += bench.take(batch)
            batch = []
        if line.topic in SHARED_TOPICS:
            bench.books.take(line)
        else:
            batch.append(line)
    said += bench.take(batch)
    return said, bench.state()


def signals(messages: Sequence[Message], rule: str) -> dict[str, Any]:
    """Return the rule's signals by the transaction on which they stand."""
    bodies = [json.loads(message.value or b"") for message in messages if message.topic == "decisions"]
    return {
        body["transaction_id"]: signal for body in bodies for signal in body["signals"] if signal["rule"] == rule
    }  # fmt: skip


@st.composite
def near(draw: st.DrawFn, rule: str) -> list[Line]:
    """Something like the rule's story: a line left out, amounts and times a little off."""
    lines = [dict(line, value=dict(line["value"])) for line in story(rule)]
    for line in lines:
        body = line["value"]
        if "amount" in body:
            body["amount"] = max(0, body["amount"] + draw(st.sampled_from((0, 0, 0, 1, -1, 1000, -1000, 100_000))))
            if draw(st.sampled_from((False, False, False, False, True))):
                body["status"] = "declined"
        if "occurred_at" in body:
            later = draw(st.sampled_from((0, 0, 0, 1, 60_000, 3_600_000, 86_400_000)))
            body["occurred_at"] = format_ms(parse_ms(body["occurred_at"]) + later)
    if draw(st.booleans()):
        del lines[draw(st.integers(0, len(lines) - 1))]
    return sorted(lines, key=_time)


def test_every_pattern_is_registered_and_stands_in_the_default_policy() -> None:
    assert tuple(PATTERNS) == PATTERN_RULES
    assert set(load_policy(default_yaml()).rules) >= set(PATTERN_RULES)


@of_every_pattern
def test_a_story_fires_it_for_one_customer_and_not_for_another(rule: str) -> None:
    said, _ = run(records(story(rule)))
    customers = {
        line["value"]["transaction_id"]: line["value"]["customer_id"]
        for line in story(rule)
        if "amount" in line["value"]
    }
    fired = {customers[transaction] for transaction in signals(said, rule)}
    assert fired
    assert fired < set(customers.values())


@of_every_pattern
@settings(max_examples=20)
@given(st.data())
def test_it_depends_on_nothing_but_what_came(rule: str, data: st.DataObject) -> None:
    lines = records(data.draw(near(rule)))
    borders = data.draw(st.sets(st.integers(0, len(lines))))
    whole = run(lines)
    assert run(lines, borders, cached=0) == whole


@of_every_pattern
@settings(max_examples=20)
@given(st.data())
def test_its_evidence_can_be_counted_again(rule: str, data: st.DataObject) -> None:
    lines = data.draw(near(rule))
    known = {line["value"]["transaction_id"]: line["value"] for line in lines if "amount" in line["value"]}
    said, _ = run(records(lines))
    for transaction, signal in signals(said, rule).items():
        evidence = signal["evidence"]
        named = [known[each] for each in evidence["transaction_ids"]]
        assert known[transaction] in named
        assert {each["customer_id"] for each in named} == {known[transaction]["customer_id"]}
        assert len(named) == evidence["count"] <= 10  # the stories are short
        times = [parse_ms(each["occurred_at"]) for each in named]
        assert times == sorted(times)
        assert (format_ms(times[0]), format_ms(times[-1])) == (evidence["first"], evidence["last"])
        assert sum(each["amount"] for each in named if each.get("status") != "declined") == evidence["sum_minor"]


@pytest.mark.parametrize("rule", [name for name, each in PATTERNS.items() if each.grows_with_amount])
@settings(max_examples=20)
@given(st.data())
def test_a_larger_amount_never_silences_it(rule: str, data: st.DataObject) -> None:
    lines = data.draw(near(rule))
    *before, last = lines
    larger = {
        **last,
        "value": {**last["value"], "amount": last["value"].get("amount", 0) + data.draw(st.integers(1, 10**6))},
    }
    fired, still = (
        signals(run(records([*before, each]))[0], rule).get(last["value"].get("transaction_id"))
        for each in (last, larger if "amount" in last["value"] else last)
    )
    assert fired is None or still is not None


@of_every_pattern
def test_it_is_silent_about_whom_nobody_knows(rule: str) -> None:
    for line in story(rule):
        said, _ = run(records([line]))
        assert not signals(said, rule)


@of_every_pattern
def test_it_lacks_no_field(rule: str) -> None:
    bare = [
        {**line, "value": {name: value for name, value in line["value"].items() if name in REQUIRED}}
        for line in story(rule)
        if "amount" in line["value"]
    ]
    said, _ = run(records(bare))
    assert sum(message.topic == "decisions" for message in said) == len(bare)


@of_every_pattern
def test_it_changes_nothing_that_it_looks_at(rule: str) -> None:
    bench = Bench(POLICY, {})
    plan = Plan(load_policy(POLICY.encode()))
    seen = 0
    for each in records(story(rule)):
        if each.topic == "transactions":
            intake = validate(each, "standard", plan.lateness_ms, plan.skew_ms, "USD", None, suspect=True)
            assert isinstance(intake, Intake)
            customer = bench.partition.customers.get(intake.key)
            before = digest_of(intake.key, customer.history), [getattr(intake, slot) for slot in Intake.__slots__]
            findings = judge(customer.history, customer.dossier, bench.books.lists, bench.books.risks, intake, plan, 0)
            seen += any(finding.rule.name == rule for finding in findings)
            after = digest_of(intake.key, customer.history), [getattr(intake, slot) for slot in Intake.__slots__]
            assert before == after
        if each.topic in SHARED_TOPICS:
            bench.books.take(each)
        else:
            bench.take([each])
    assert seen
