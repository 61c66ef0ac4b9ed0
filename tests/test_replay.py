"""`tierwatch replay`: the same pipeline with no broker, the same bytes on every run, and one outcome for every line."""

import base64
import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.exit_codes import Exit
from console import replay as replay_module
from console.record_lines import write_line
from console.replay import replay
from pipeline.policy.load import default_yaml, load_policy
from schemas.transaction import Transaction
from tests.command import tierwatch

POLICY = load_policy(default_yaml())
SCENARIOS = Path(__file__).parent / "scenarios"
EVERYTHING = [line for story in sorted(SCENARIOS.glob("*/given.jsonl")) for line in story.read_bytes().splitlines()]


def transaction(number: int, customer: str = "c-1") -> bytes:
    at = f"2026-11-22T10:{number // 60 % 60:02d}:{number % 60:02d}Z"
    value = (
        f'{{"transaction_id":"t-{number}","source":"p","customer_id":"{customer}","occurred_at":"{at}",'
        f'"amount":{number},"currency":"USD","transaction_type":"purchase"}}'
    )
    return b'{"topic":"transactions","value":%b}' % value.encode()


def written(lines: list[bytes]) -> bytes:
    return b"".join(write_line(message) for message in replay(lines, POLICY))


def command(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return tierwatch("replay", *arguments, stdin=stdin)


def process(stdin: bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "console", "replay", "-"]
    return subprocess.run(words, check=False, input=stdin, capture_output=True, env=os.environ | environment)


@pytest.mark.parametrize("batch_lines, batch_bytes", [(1, 1), (3, 1 << 20), (7, 900)])
def test_outputs_do_not_depend_on_batch_borders(
    monkeypatch: pytest.MonkeyPatch, batch_lines: int, batch_bytes: int
) -> None:
    lines = [*EVERYTHING, *(transaction(number, f"c-{number % 7}") for number in range(500)), *EVERYTHING]
    whole = written(lines)
    monkeypatch.setattr(replay_module, "BATCH_LINES", batch_lines)
    monkeypatch.setattr(replay_module, "BATCH_BYTES", batch_bytes)
    assert written(lines) == whole
    assert whole.count(b'"topic":"decisions"') > 500


def test_every_transaction_line_has_exactly_one_outcome() -> None:
    lines = [transaction(number % 90, f"c-{number % 3}") for number in range(300)]
    lines[::10] = [b'{"topic":"transactions","value":{"customer_id":"c-0"}}'] * 30
    seen: set[tuple[object, ...]] = set()
    duplicates = 0
    for line in lines:
        value = json.loads(line)["value"]
        identity = (value["customer_id"], value.get("transaction_id"))
        duplicates += "amount" in value and identity in seen
        seen.add(identity)
    outcomes = Counter(message.topic for message in replay(lines, POLICY))
    assert outcomes["dead-letters"] == 30
    assert outcomes["decisions"] + outcomes["dead-letters"] + duplicates == len(lines)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("2026-11-22T10:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = json.loads(transaction(1))["value"]
known_fields = st.sampled_from(sorted(Transaction.__struct_fields__))
values = (
    st.binary(max_size=30).map(lambda raw: {"value_base64": base64.b64encode(raw).decode()})
    | json_values.map(lambda value: {"value": value})
    | st.dictionaries(known_fields, json_values, max_size=3).map(lambda odd: {"value": FIELDS | odd})
)
members = st.fixed_dictionaries(
    {}, optional={"key": json_values, "timestamp": json_values, "headers": json_values, "clock": json_values}
)


@given(values, members)
def test_whatever_a_line_holds_it_has_exactly_one_outcome(value: dict[str, object], further: dict[str, object]) -> None:
    line = json.dumps({"topic": "transactions", **value, **further}).encode()
    outcomes = Counter(message.topic for message in replay([line], POLICY))
    assert outcomes["decisions"] + outcomes["dead-letters"] == 1


@pytest.mark.parametrize(
    "value, reason",
    [
        (b"[" * 100_000 + b"]" * 100_000, b"too_deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"too_deep"),
        (b'{"customer_id":"\xff"}', b"not_utf8"),
        (b'{"amount":1' + b"0" * 10_000 + b"}", None),
        (b'{"customer_id":"\\ud83d\\ude00"}', b"missing_field"),
    ],
)
def test_value_that_other_readers_choke_on_is_one_dead_letter(value: bytes, reason: bytes | None) -> None:
    line = b'{"topic":"transactions","key":"c-1","value":' + value + b"}"
    (letter,) = replay([line], POLICY)
    assert reason in (None, dict(letter.headers)["reason"])
    assert letter.value == value
    again = json.loads(write_line(letter))
    assert base64.b64decode(again["value_base64"]) == value if "value_base64" in again else "value" in again


def test_lines_are_not_gathered_before_they_are_judged() -> None:
    endless: Iterator[bytes] = (transaction(number, f"c-{number}") for number in count())
    first = list(islice(replay(endless, POLICY), 10))
    assert len(first) == 10
    assert next(endless) == transaction(replay_module.BATCH_LINES, f"c-{replay_module.BATCH_LINES}")


def test_lines_are_numbered_from_one_and_dead_letters_say_which() -> None:
    letters = [message for message in replay([transaction(1), b"", b"x"], POLICY) if message.topic == "dead-letters"]
    assert [(letter.value, dict(letter.headers)["offset"]) for letter in letters] == [(b"", b"2"), (b"x", b"3")]


def test_card_numbers_are_masked_in_lines_that_are_no_records_too() -> None:
    (letter,) = replay([b"a card: 4111 1111 1111 1111"], POLICY)
    assert letter.value == b"a card: 4111 11** **** 1111"
    assert dict(letter.headers)["reason"] == b"not_a_record"


@pytest.mark.parametrize("size", [5 << 20, 24 << 20])
def test_field_of_many_megabytes_is_one_dead_letter(size: int) -> None:
    line = transaction(1).replace(b'"source":"p"', b'"source":"p","description":"' + b"x" * size + b'"')
    (letter, decision) = replay([line, transaction(2)], POLICY)
    assert dict(letter.headers)["reason"] == b"field_too_long"
    assert decision.topic == "decisions"


def test_command_gives_the_same_bytes_on_every_run() -> None:
    stdin = b"\n".join(EVERYTHING)
    here = process(stdin, PYTHONHASHSEED="1", TZ="UTC")
    elsewhere = process(stdin, PYTHONHASHSEED="2", TZ="Asia/Kathmandu", LC_ALL="C")
    assert here.returncode == elsewhere.returncode == 0, here.stderr.decode()
    assert here.stdout == elsewhere.stdout == written(EVERYTHING)


def test_files_are_read_one_after_the_other_plain_or_packed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    plain.write_bytes(transaction(1) + b"\r\n" + transaction(2))
    packed.write_bytes(gzip.compress(transaction(2) + b"\n" + transaction(3) + b"\n"))
    done = command(plain, packed)
    assert done.returncode == 0, done.stderr.decode()
    decided = [json.loads(line)["value"]["transaction_id"] for line in done.stdout.splitlines()]
    assert decided == ["t-1", "t-2", "t-3"]


def test_what_came_before_damage_has_its_outcome(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(transaction(number) + b"\n" for number in range(500)))
    file = tmp_path / "cut.gz"
    file.write_bytes(packed[: len(packed) // 2])
    done = command(file)
    assert done.returncode == Exit.BAD_INPUT
    assert b"damaged" in done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    judged = [each["value"]["transaction_id"] for each in told if each["topic"] == "decisions"]
    assert 100 < len(judged) < 400
    assert judged == [f"t-{number}" for number in range(len(judged))]


def test_policy_of_the_file_is_in_force() -> None:
    done = command("--policy", SCENARIOS / "night" / "policy.yaml", "-", stdin=transaction(1))
    assert json.loads(done.stdout)["value"]["policy_version"] == 1
    assert json.loads(done.stdout)["value"]["policy_hash"] != POLICY.digest


def test_wrong_files_end_the_command_before_anything_is_written(tmp_path: Path) -> None:
    good = tmp_path / "good.jsonl"
    good.write_bytes(transaction(1))
    done = command(good, tmp_path / "nowhere.jsonl")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"cannot read" in done.stderr
    assert b"nowhere.jsonl: no such file" in done.stderr


def test_broken_policy_is_told_with_its_lines(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_bytes(default_yaml().replace(b"lateness: 24h", b"lateness: soon"))
    done = command("--policy", broken, "-", stdin=transaction(1))
    assert (done.returncode, done.stdout) == (3, b"")
    line = default_yaml()[: default_yaml().index(b"lateness: 24h")].count(b"\n") + 1
    assert f"broken.yaml:{line}:" in done.stderr.decode()


def test_unknown_members_are_told() -> None:
    done = command("-", stdin=transaction(1).replace(b'"value"', b'"timestmap":1,"value"'))
    assert done.returncode == 0
    assert b"1 line with members that mean nothing here" in done.stderr


def test_reader_that_goes_away_is_no_error_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_bytes(b"\n".join(transaction(number) for number in range(3_000)))
    words = [sys.executable, "-m", "console", "replay", str(file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
