"""Lines as records: the value's bytes stay as they stand, and what is no record says so."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.json_text import is_one_json_value, members
from console.record_lines import Clock, LineReader, NotARecord, write_line
from pipeline.record import InputRecord, Message

TRANSACTION = b'{"customer_id": "c-1",  "occurred_at":"2026-11-22T10:00:00Z", "amount": 1.50}'
TEN_O_CLOCK_MS = 1_795_341_600_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def read(line: bytes) -> InputRecord | Clock | NotARecord:
    return LineReader().read(line)


def record(line: bytes) -> InputRecord:
    found = read(line)
    assert isinstance(found, InputRecord)
    return found


def test_value_is_cut_out_verbatim_and_says_its_own_key_and_time() -> None:
    line = b'{ "topic" : "transactions", "value" : ' + TRANSACTION + b" }\r"
    assert record(line) == InputRecord("transactions", 0, 1, TEN_O_CLOCK_MS, b"c-1", TRANSACTION)


@pytest.mark.parametrize(
    "members, key",
    [(b'"key": "c-2"', b"c-2"), (b'"key": null', None), (b'"key": ""', b""), ('"key": "ü"'.encode(), "ü".encode())],
)
def test_key_of_the_line_goes_before_the_customer(members: bytes, key: bytes | None) -> None:
    assert record(b'{"topic": "transactions", "value": ' + TRANSACTION + b", " + members + b"}").key == key


@pytest.mark.parametrize("time", [b'"2026-11-22T11:00:00+01:00"', b"1795341600000"])
def test_timestamp_is_text_or_milliseconds(time: bytes) -> None:
    assert record(b'{"topic": "t", "value": 1, "timestamp": ' + time + b"}").timestamp == TEN_O_CLOCK_MS


def test_without_a_readable_time_it_arrives_at_the_latest_seen() -> None:
    reader = LineReader()
    lines = [
        b'{"topic": "t", "value": {"occurred_at": "yesterday"}}',
        b'{"topic": "t", "value": ' + TRANSACTION + b"}",
        b'{"topic": "t", "value": {}, "timestamp": 5}',
        b'{"topic": "t", "value": {"occurred_at": "0001-01-01T00:00:00Z"}}',
        b'{"topic": "t", "value": {"occurred_at": "9999-01-01T00:00:00Z"}}',
        b'{"clock": 1795341600001}',
        b'{"topic": "t", "tombstone": true}',
    ]
    seen = [reader.read(line) for line in lines]
    arrivals = [each.timestamp for each in seen if isinstance(each, InputRecord)]
    assert arrivals == [0, TEN_O_CLOCK_MS, 5, TEN_O_CLOCK_MS, TEN_O_CLOCK_MS, TEN_O_CLOCK_MS + 1]


def test_headers_are_texts() -> None:
    assert record(b'{"topic": "t", "value": 1, "headers": {"ce_source": "p"}}').headers == [("ce_source", b"p")]


def test_bytes_of_a_value_that_are_no_text_are_left_to_whoever_reads_it() -> None:
    assert record(b'{"topic": "t", "value": {"customer_id": "\xff"}}').value == b'{"customer_id": "\xff"}'


def test_policies_are_keyed_by_the_policy() -> None:
    assert record(b'{"topic": "policies", "value": {"policy": "default", "customer_id": "c"}}').key == b"default"


def test_tombstone_has_no_value() -> None:
    assert record(b'{"topic": "t", "tombstone": true, "key": "c-1"}').value is None


def test_base64_says_what_json_cannot() -> None:
    assert record(b'{"topic": "t", "value_base64": "%b"}' % base64.b64encode(b"\xff\x00")).value == b"\xff\x00"


@pytest.mark.parametrize("depth", [33, 900, 100_000])
def test_value_may_be_nested_however_deep(depth: int) -> None:
    value = b'{"a]": ' + b'[{"\\"": ' * depth + b"1" + b"}]" * depth + b"}"
    found = record(b'{"note": {"value": [1]}, "value" : %b, "topic": "transactions", "key": "c"}' % value)
    assert (found.value, found.key, found.topic) == (value, b"c", "transactions")


@pytest.mark.parametrize("text", [rb"\ud800", rb"\udc00 \ud83d\ude00", rb"\ud800\u0041"])
def test_half_of_a_surrogate_pair_is_the_fault_of_the_record_not_of_the_line(text: bytes) -> None:
    value = b'{"customer_id": "c-1", "occurred_at": "2026-11-22T10:00:00Z", "description": "%b"}' % text
    found = record(b'{"topic": "transactions", "value": %b }' % value)
    assert (found.value, found.key, found.timestamp) == (value, b"c-1", TEN_O_CLOCK_MS)
    assert isinstance(read(b'{"topic": "t", "note": "%b", "value": 1}' % text), NotARecord)


@pytest.mark.parametrize(
    "customer",
    [
        rb'"\ud800"',
        rb'"c-1\udc00"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\xff", "x": "\\ud800"',
        b'["c-1"], "x": "\\ud800"',
    ],
)
def test_customer_whose_name_is_no_text_gives_no_key(customer: bytes) -> None:
    value = b'{"occurred_at": "2026-11-22T10:00:00Z", "customer_id": %b}' % customer
    found = record(b'{"topic": "transactions", "value": %b}' % value)
    assert (found.value, found.key) == (value, None)


def test_value_nested_deep_still_says_its_own_key_and_time() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    value = b'{"x": %b, "customer_id": "c-1", "y": {"customer_id": "no"}, "occurred_at": "2026-11-22T10:00:00Z"}' % deep
    found = record(b'{"topic": "transactions", "value": %b}' % value)
    assert (found.value, found.key, found.timestamp) == (value, b"c-1", TEN_O_CLOCK_MS)


@given(st.dictionaries(st.text(), json_values), st.sampled_from([None, 1]))
def test_members_are_found_where_they_stand(fields: dict[str, object], indent: int | None) -> None:
    text = json.dumps(fields, ensure_ascii=False, indent=indent).encode()
    found = {name: json.loads(text[place]) for name, place in members(text).items()}
    assert found == {json.dumps(name, ensure_ascii=False)[1:-1]: value for name, value in fields.items()}


@pytest.mark.parametrize(
    "line, detail",
    [
        (b"", "truncated"),
        (b"\x00", "malformed"),
        (b"not json", "malformed"),
        (b"[]", "Expected `object`"),
        (b"{}", "neither a `topic` nor a `clock`"),
        (b'{"topic": "t"}', "exactly one of"),
        (b'{"topic": "t", "value": 1, "tombstone": true}', "exactly one of"),
        (b'{"topic": "t", "value": 1, "value_base64": "AA=="}', "exactly one of"),
        (b'{"topic": "t", "value_base64": "%"}', "not base64"),
        (b'{"topic": "t", "value": {"a":}}', "malformed"),
        (b'{"topic": "t", "value": NaN}', "malformed"),
        (b'{"topic": "t", "value": 1}{', "trailing"),
        (b'{"topic": 1, "value": 1}', "Expected `str`"),
        (b'{"topic": "t", "value": 1, "key": 7}', "$.key"),
        (b'{"topic": "t", "value": 1, "headers": {"a": 1}}', "$.headers"),
        (b'{"topic": "t", "value": 1, "timestamp": "noon"}', "RFC 3339"),
        (b'{"topic": "t", "value": 1, "timestamp": -1}', "1970"),
        (b'{"topic": "t", "value": 1, "timestamp": "9999-01-01T00:00:00Z"}', "9998"),
        (b'{"topic": "t", "value": 1, "timestamp": 1e3}', "$.timestamp"),
        (b'{"clock": "noon"}', "RFC 3339"),
        (b'{"clock": "9999-12-31T23:59:59.999Z"}', "9998"),
        (b'{"clock": 1, "topic": "t"}', "not both"),
        (b'{"topic": "\xff", "value": 1}', "not UTF-8"),
        (b'{"topic": "t", "value": 1, "more": ' + b"[" * 5_000, "nested too deep"),
        (b'{"topic": "t", "value": ' + b"[" * 5_000, "nested too deep"),
    ],
)
def test_line_that_is_not_a_record_is_kept_whole_with_what_is_wrong(line: bytes, detail: str) -> None:
    found = read(line)
    assert isinstance(found, NotARecord)
    assert (found.record.value, found.record.offset) == (line, 1)
    assert detail in found.detail


def test_clock_never_goes_back() -> None:
    reader = LineReader()
    assert reader.read(b'{"clock": "2026-11-22T10:00:00Z"}') == Clock(TEN_O_CLOCK_MS)
    assert isinstance(reader.read(b'{"clock": "2026-11-22T09:59:59.999Z"}'), NotARecord)
    assert reader.read(b'{"clock": "2026-11-22T10:00:00Z"}') == Clock(TEN_O_CLOCK_MS)


def test_unknown_members_are_tolerated_and_counted() -> None:
    reader = LineReader()
    assert isinstance(reader.read(b'{"topic": "t", "value": 1, "note": "why"}'), InputRecord)
    assert reader.lines_with_unknown_members == 1


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,topicvalue10\\ ', max_size=60).map(str.encode))
def test_reading_never_raises(line: bytes) -> None:
    found = read(line)
    assert isinstance(found, NotARecord | InputRecord | Clock)


@given(
    st.binary() | json_values.map(lambda value: json.dumps(value, ensure_ascii=False).encode()),
    st.none() | st.text(),
    st.dictionaries(st.text(), st.text()),
)
def test_what_is_written_is_read_again(value: bytes, key: str | None, headers: dict[str, str]) -> None:
    named = [(name, text.encode()) for name, text in headers.items()]
    line = write_line(Message("dead-letters", None if key is None else key.encode(), value, named))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    found = record(line[:-1])
    assert (found.value, found.key, list(found.headers)) == (value, None if key is None else key.encode(), named)
    assert set(json.loads(line)) == {"topic", "key", "value" if is_one_json_value(value) else "value_base64", "headers"}


def test_tombstone_is_written_as_one() -> None:
    assert write_line(Message("entitlements", b"c-1", None)) == (
        b'{"topic":"entitlements","key":"c-1","tombstone":true,"headers":{}}\n'
    )


@pytest.mark.parametrize("value", [b"", b" 1", b"1\n", b"{\n}", b"NaN", b"1 2", b'"\xff"', b'"\\ud800"', b"[" * 9_000])
def test_bytes_that_cannot_stand_in_a_line_travel_as_base64(value: bytes) -> None:
    assert not is_one_json_value(value)
