"""Whatever bytes arrive: a message or a named reason, whatever the order of fields, and no value in the words."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas.codec import MAX_DEPTH, Undecodable, decode_transaction, encode
from schemas.reasons import DeadLetterReason
from schemas.transaction import CONTENT_FIELDS, TRANSACTION_TYPES, Transaction

Decode = Callable[[bytes], Any]
DECODERS: list[Decode] = [
    codec.decode_transaction,
    codec.decode_customer_event,
    codec.decode_policy_event,
    codec.decode_rate,
    codec.decode_list_entry,
    codec.decode_entity_label,
    codec.decode_entity_risk,
    codec.decode_model_file,
    codec.decode_disposition,
]
SIGNATURE = {"key_id": "k", "value": "A" * 86 + "=="}
ENVELOPE = {"event_id": "e", "occurred_at": "2026-11-22T10:00:00Z", "actor": "a"}
VALID: list[dict[str, Any]] = [
    {
        "transaction_id": "t",
        "customer_id": "c",
        "occurred_at": "2026-11-22T10:00:00Z",
        "amount": 1,
        "currency": "USD",
        "transaction_type": "purchase",
        "location": {"lat": 1.5, "lon": -2},
        "description": "tea",
    },
    {
        **ENVELOPE,
        "event_type": "admission.approved",
        "customer_id": "c",
        "tier": "gold",
        "evidence": [{"kind": "k", "reference": "r", "issued_at": "2026-11-01T00:00:00Z", "expires_at": None}],
        "expires_at": "2027-11-22T00:00:00Z",
        "review_at": "2027-02-22T00:00:00Z",
        "signature": SIGNATURE,
        "countersignatures": [{"person": "p", **SIGNATURE}],
    },
    {
        **ENVELOPE,
        "event_type": "policy.proposed",
        "policy": "p",
        "version": 2,
        "base_digest": "0" * 64,
        "yaml": "a: 1\n",
        "signature": SIGNATURE,
    },
    {"currency": "EUR", "date": "2026-11-22", "rate": "1.08", "base_currency": "USD"},
    {
        "list": "deny",
        "kind": "payee",
        "value": "p",
        "actor": "a",
        "reason": "told",
        "at": "2026-11-22T10:00:00Z",
        "until": "2027-11-22T10:00:00Z",
    },
    {
        "kind": "payee",
        "value": "p",
        "payment": "00112233445566aa",
        "customer": "ffeeddccbbaa0099",
        "paid_at": "2026-11-22T10:00:00Z",
        "label": "fraud",
        "weight": 100,
        "matures_at": "2026-11-22T11:00:00Z",
    },
    {
        "kind": "terminal",
        "value": "t",
        "at": "2026-11-22T10:00:00Z",
        "until": "2026-12-22T00:00:00Z",
        "frauds": 300,
        "labelled": 400,
        "customers": 3,
    },
    {
        "model": "m",
        "actor": "a",
        "at": "2026-11-22T10:00:00Z",
        "card": {
            "features": ["amount"],
            "categories": [],
            "payments": 2,
            "frauds": 1,
            "first_ms": 0,
            "last_ms": 1,
            "leaves": 2,
            "trees": 1,
            "sha256": "0",
        },
        "text": "tree",
    },
    {
        "disposition_id": "d",
        "customer_id": "c",
        "occurred_at": "2026-11-22T10:00:00Z",
        "actor": "a",
        "label": "fraud",
        "status": "final",
        "alert_id": "al",
    },
]
KINDS = list(zip(DECODERS, VALID, strict=True))

NASTY = [
    *(b"NaN", b"Infinity", b"1e400", b"-0", b"12.0", b"9" * 5000, b"null", b"true", b"{", b"}", b"[", b"]", b",", b":"),
    *(b'"', b"\\", b"\\ud800", b"\\u0000", b"\xff", b"\xef\xbb\xbf", b"\x00", b"\x7f", b"[" * 50, b"[" * 3000),
    *(b'"x":1,', b'"amount":1,', b'"event_type":"x",', b"9999-99-99T99:99:99Z", b"0001-01-01T00:00:00+23:59"),
]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def spoilt(draw: st.DrawFn, valid: dict[str, Any]) -> bytes:
    """Nearly a message: a field replaced or lost, then bytes cut, doubled or thrown in."""
    fields = dict(valid)
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
        if draw(st.booleans()):
            fields[name] = draw(JSON)
        else:
            fields.pop(name, None)
    value = bytearray(json.dumps(fields, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(value)))
        until = at + draw(st.integers(0, 3))
        value[at:until] = draw(st.sampled_from(NASTY) | st.binary(max_size=4))
    return bytes(value)


def outcome(decode: Decode, value: bytes) -> object:
    try:
        return decode(value)
    except Undecodable as error:
        return error.reason


def words(decode: Decode, value: bytes) -> str:
    try:
        decode(value)
    except Undecodable as error:
        return str(error)
    return ""


@pytest.mark.parametrize("decode", DECODERS)
@given(value=st.binary() | st.text().map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_a_message_or_a_reason(decode: Decode, value: bytes) -> None:
    outcome(decode, value)


@pytest.mark.parametrize("decode, valid", KINDS)
@given(data=st.data())
def test_nearly_messages_give_a_message_or_a_reason(decode: Decode, valid: dict[str, Any], data: st.DataObject) -> None:
    value = data.draw(spoilt(valid))
    result = outcome(decode, value)
    assert outcome(decode, value) == result


@pytest.mark.parametrize("decode, valid", KINDS)
@given(data=st.data())
def test_order_of_fields_and_spaces_mean_nothing(decode: Decode, valid: dict[str, Any], data: st.DataObject) -> None:
    shuffled = {name: valid[name] for name in data.draw(st.permutations(sorted(valid)))}
    spaced = json.dumps(shuffled, indent=data.draw(st.integers(0, 3))).encode()
    assert decode(spaced) == decode(json.dumps(valid).encode())


@pytest.mark.parametrize("decode, valid", KINDS)
@given(extra=st.dictionaries(st.text().map("x{}".format), JSON, min_size=1, max_size=5))
def test_unknown_fields_are_counted_and_change_nothing(
    decode: Decode, valid: dict[str, Any], extra: dict[str, Any]
) -> None:
    try:
        value = json.dumps({**valid, **extra}, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return  # no JSON at all
    known, with_extra = decode(json.dumps(valid).encode()), decode(value)
    assert with_extra[0] == known[0]
    assert with_extra[-1] == len(extra)


@pytest.mark.parametrize("decode, valid", KINDS)
@given(data=st.data())
def test_no_value_stands_in_the_detail(decode: Decode, valid: dict[str, Any], data: st.DataObject) -> None:
    told = "Zq7-private"
    name = data.draw(st.sampled_from(sorted(valid)))
    odd = data.draw(st.sampled_from([told, {told: told}, [told], told * 200, told + "\x07", {"key_id": told}]))
    assert "Zq7" not in words(decode, json.dumps({**valid, name: odd}).encode())


@given(depth=st.integers(1, 200), brackets=st.text("[{", min_size=200, max_size=200), noise=st.text())
def test_depth_is_counted_outside_strings_only(depth: int, brackets: str, noise: str) -> None:
    opened = [bracket if bracket == "[" else '{"a":' for bracket in brackets[:depth]]
    closed = ["]" if bracket == "[" else "}" for bracket in reversed(brackets[:depth])]
    nested = f"{''.join(opened)}0{''.join(closed)}"
    text = f'{json.dumps({**VALID[0], "noise": noise + "[" * 99})[:-1]},"x":{nested}}}'
    expected = 2 if depth < MAX_DEPTH else DeadLetterReason.TOO_DEEP
    result = outcome(decode_transaction, text.encode())
    assert (result[1] if isinstance(result, tuple) else result) == expected


IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=128)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=128)
TRANSACTIONS = st.builds(
    Transaction,
    transaction_id=IDS,
    customer_id=IDS,
    occurred_at=st.just("2026-11-22T10:00:00Z"),
    amount=st.integers(),
    currency=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3),
    transaction_type=st.sampled_from(TRANSACTION_TYPES),
    source=LINES,
    original_transaction_id=LINES,
    merchant_id=LINES,
    description=st.text(st.characters(exclude_categories=["Cs"]), max_size=1024),
)


@given(transaction=TRANSACTIONS)
def test_what_is_written_is_read_again(transaction: Transaction) -> None:
    assert decode_transaction(encode(transaction)) == (transaction, 0)
    assert decode_transaction(json.dumps(json.loads(encode(transaction))).encode()) == (transaction, 0)


def test_content_fields_are_fields() -> None:
    assert set(CONTENT_FIELDS) <= set(Transaction.__struct_fields__)
