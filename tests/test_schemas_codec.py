"""Each way in which a message can be wrong, by name."""

import json
from typing import Any

import pytest

from schemas.codec import (
    MAX_BYTES,
    Undecodable,
    decode_customer_event,
    decode_disposition,
    decode_policy_event,
    decode_rate,
    decode_transaction,
)
from schemas.reasons import DeadLetterReason as Reason

VALID = {
    "transaction_id": "t",
    "customer_id": "c",
    "occurred_at": "2026-11-22T10:00:00Z",
    "amount": 1,
    "currency": "USD",
    "transaction_type": "purchase",
}


def transaction(**changed: object) -> bytes:
    return json.dumps({**VALID, **changed}).encode()


def with_amount(text: str) -> bytes:
    return transaction(amount="?").replace(b'"?"', text.encode())


def with_field(text: str) -> bytes:
    return transaction()[:-1] + b"," + text.encode("utf-8", "surrogatepass") + b"}"


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in VALID.items() if key != name}).encode()


BAD_TRANSACTIONS = [
    (b"", Reason.EMPTY_VALUE, "the record has no value"),
    (b" ", Reason.NOT_JSON, "input data was truncated"),
    (b"\xff\xfe{}", Reason.NOT_UTF8, "byte 0"),
    (transaction().decode().encode("utf-16"), Reason.NOT_UTF8, "byte 0"),
    (with_field('"x":"\ud800"'), Reason.NOT_UTF8, "byte 151"),
    (b"\xef\xbb\xbf" + transaction(), Reason.NOT_JSON, "invalid character (byte 0)"),
    (transaction() + b"x", Reason.NOT_JSON, "trailing characters (byte 147)"),
    (transaction()[:-1], Reason.NOT_JSON, "input data was truncated"),
    (with_amount("NaN"), Reason.NOT_JSON, "invalid character (byte 93)"),
    (with_amount("-Infinity"), Reason.NOT_JSON, "invalid character (byte 94)"),
    (with_amount("012"), Reason.NOT_JSON, "invalid number (byte 94)"),
    (with_field('"x":"\\q"'), Reason.NOT_JSON, "invalid escape character in string (byte 153)"),
    (with_field('"x":"\x01"'), Reason.NOT_JSON, "invalid character (byte 151)"),
    (with_field('"x":' + "[" * 32 + "]" * 32), Reason.TOO_DEEP, "nested more than 32 deep"),
    (with_field('"x":' + "[" * 100_000), Reason.TOO_DEEP, "nested more than 32 deep"),
    (b"[" * 1_000_000 + b"]" * 1_000_000, Reason.TOO_DEEP, "nested more than 32 deep"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, Reason.TOO_DEEP, "nested more than 32 deep"),
    (b"[]", Reason.WRONG_TYPE, "$: expected an object"),
    (b"null", Reason.WRONG_TYPE, "$: expected an object"),
    (b"{}", Reason.MISSING_FIELD, "$.transaction_id"),
    (without("currency"), Reason.MISSING_FIELD, "$.currency"),
    (transaction(location={"lat": 1}), Reason.MISSING_FIELD, "$.location.lon"),
    (with_amount("12.0"), Reason.WRONG_TYPE, "$.amount: expected `int`, got `float`"),
    (with_amount("1e3"), Reason.WRONG_TYPE, "$.amount: expected `int`, got `float`"),
    (with_amount("1e400"), Reason.WRONG_TYPE, "$.amount: number out of range"),
    (transaction(amount=True), Reason.WRONG_TYPE, "$.amount: expected `int`, got `bool`"),
    (transaction(amount="12"), Reason.WRONG_TYPE, "$.amount: expected `int`, got `str`"),
    (transaction(amount=None), Reason.WRONG_TYPE, "$.amount: expected `int`, got `null`"),
    (transaction(customer_id=17), Reason.WRONG_TYPE, "$.customer_id: expected `str`, got `int`"),
    (transaction(location=[]), Reason.WRONG_TYPE, "$.location: expected `object | null`, got `array`"),
    (with_amount("9" * 5000), Reason.ABSURD_AMOUNT, "$.amount: integer value out of range"),
    (transaction(currency="US"), Reason.UNKNOWN_CURRENCY, "$.currency: expected `str` of length >= 3"),
    (transaction(currency="DOLLAR"), Reason.UNKNOWN_CURRENCY, "$.currency: expected `str` of length <= 3"),
    (transaction(currency="D" * 129), Reason.FIELD_TOO_LONG, "$.currency: expected `str` of length <= 3"),
    (transaction(description="x" * 5_000_000), Reason.FIELD_TOO_LONG,
     "$.description: expected `str` of length <= 1024"),
    (transaction(merchant_id="x" * 129), Reason.FIELD_TOO_LONG, "$.merchant_id: expected `str` of length <= 128"),
    (transaction(x="x" * MAX_BYTES), Reason.FIELD_TOO_LONG, "unknown fields beyond 1048576 bytes"),
    (transaction(transaction_id=""), Reason.BAD_VALUE, "$.transaction_id: expected `str` of length >= 1"),
    (transaction(status="maybe"), Reason.BAD_VALUE, "$.status: not one of the values that the schema names"),
    (transaction(transaction_type="PURCHASE"), Reason.BAD_VALUE,
     "$.transaction_type: not one of the values that the schema names"),
    (transaction(location={"lat": 91, "lon": 0}), Reason.BAD_VALUE, "$.location.lat: expected `float` <= 90.0"),
    (with_field('"x":1e400'), Reason.BAD_VALUE, "a number that no double can hold"),
    (with_field('"channel":"\\ud800"'), Reason.BAD_VALUE, "half of a surrogate pair: no Unicode text"),
    (with_field('"x":["\\udc00\\ud800"]'), Reason.BAD_VALUE, "half of a surrogate pair: no Unicode text"),
    (transaction(device_id="a\nb"), Reason.BAD_VALUE, "$.device_id: a control character"),
    (transaction(customer_id="a\x00"), Reason.BAD_VALUE, "$.customer_id: a control character"),
    (with_field('"mcc":"\x7f"'), Reason.BAD_VALUE, "$.mcc: a control character"),
    (with_field('"mcc":"\\u007F"'), Reason.BAD_VALUE, "$.mcc: a control character"),
]  # fmt: skip


@pytest.mark.parametrize("value, reason, detail", BAD_TRANSACTIONS)
def test_a_bad_transaction_is_named(value: bytes, reason: Reason, detail: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decode_transaction(value)
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


@pytest.mark.parametrize(
    "value, unknown",
    [
        (transaction(), 0),
        (with_amount("-0"), 0),
        (transaction(location=None), 0),
        (transaction(description="two\nlines\t\x7f"), 0),
        (transaction(merchant_id="back\\slash n \\u0000 \u00e9 \U0001f600"), 0),
        (transaction(x=1, y=[[{}]]), 2),
        (transaction(location={"lat": 1, "lon": 2, "z": 3}, z={"a": 1}), 2),
        (b" \r\n\t" + transaction() + b"\n", 0),
        (with_field('"x":' + "[" * 31 + "]" * 31), 1),
        (with_field('"\\u0063hannel":"pos"'), 0),
    ],
)
def test_a_good_transaction_is_read(value: bytes, unknown: int) -> None:
    decoded, counted = decode_transaction(value)
    assert (decoded.customer_id, counted) == ("c", unknown)


def test_of_a_field_given_twice_the_last_counts() -> None:
    assert decode_transaction(with_field('"amount":2'))[0].amount == 2
    assert decode_transaction(with_field('"amount":2,"x":0'))[0].amount == 2


EVENT = {"event_id": "e", "customer_id": "c", "occurred_at": "2026-11-22T10:00:00Z", "actor": "a"}
FROZEN = {**EVENT, "event_type": "account.frozen"}
UNFROZEN = {**EVENT, "event_type": "account.unfrozen", "signature": {"key_id": "k", "value": "A" * 86 + "=="}}
EVIDENCE = {"kind": "k", "reference": "r", "issued_at": "2026-11-01T00:00:00Z"}
ADMISSION = {
    **UNFROZEN,
    "event_type": "admission.approved",
    "tier": "gold",
    "evidence": [EVIDENCE],
    "expires_at": "2027-11-22T00:00:00Z",
    "review_at": "2027-02-22T00:00:00Z",
}


@pytest.mark.parametrize(
    "fields, reason, detail",
    [
        ({**EVENT, "event_type": "account.melted"}, Reason.UNKNOWN_EVENT_TYPE,
         "$.event_type: this version does not know it"),
        ({**EVENT, "event_type": 7}, Reason.WRONG_TYPE, "$.event_type: expected `str`"),
        (EVENT, Reason.MISSING_FIELD, "$.event_type"),
        ({**FROZEN, "event_type": "account.unfrozen"}, Reason.MISSING_FIELD, "$.signature"),
        ({**FROZEN, "occurred_at": "yesterday"}, Reason.BAD_TIME,
         "$.occurred_at: not RFC 3339 with an offset, or no such moment"),
        ({**FROZEN, "occurred_at": "2026-02-30T10:00:00Z"}, Reason.BAD_TIME,
         "$.occurred_at: not RFC 3339 with an offset, or no such moment"),
        ({**FROZEN, "actor": "a\n"}, Reason.BAD_VALUE, "$.actor: a control character"),
        ({**UNFROZEN, "signature": {"key_id": "k", "value": "AA=="}}, Reason.BAD_VALUE,
         "$.signature.value: expected `str` matching regex '^[A-Za-z0-9+/]{86}==$'"),
        ({**UNFROZEN, "signature": {"key_id": "k", "value": "A" * 86 + "==\n"}}, Reason.BAD_VALUE,
         "$.signature.value: a control character"),
        ({**ADMISSION, "evidence": [{"kind": "k", "reference": "r", "issued_at": "2026"}]}, Reason.BAD_TIME,
         "$.evidence[0].issued_at: not RFC 3339 with an offset, or no such moment"),
        ({**ADMISSION, "evidence": [EVIDENCE] * 65}, Reason.FIELD_TOO_LONG,
         "$.evidence: expected `array` of length <= 64"),
        ({**ADMISSION, "evidence": [{"kind": "k"}]}, Reason.MISSING_FIELD, "$.evidence[0].reference"),
    ],
)  # fmt: skip
def test_a_bad_customer_event_is_named(fields: dict[str, Any], reason: Reason, detail: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decode_customer_event(json.dumps(fields).encode())
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


def test_an_event_that_names_a_field_twice_has_no_one_meaning() -> None:
    value = json.dumps({**ADMISSION, "x": {"y": 1}}).encode()
    for twice in (value.replace(b'"tier"', b'"tier":"base","tier"'), value.replace(b'"y"', b'"y":2,"y"')):
        with pytest.raises(Undecodable) as caught:
            decode_customer_event(twice)
        assert (caught.value.reason, caught.value.detail) == (Reason.BAD_VALUE, "an object names a field twice")


def test_unknown_fields_of_events_are_counted_and_kept_for_the_signature() -> None:
    evidence = {**EVIDENCE, "page": 3}
    decoded = decode_customer_event(json.dumps({**ADMISSION, "evidence": [evidence], "case": {"a": 1}}).encode())
    assert decoded.unknown_fields == 2
    assert decoded.fields["case"] == {"a": 1}
    assert decoded.fields["evidence"] == [evidence]


RATE = {"currency": "EUR", "date": "2026-11-22", "rate": "1.08", "base_currency": "USD"}


@pytest.mark.parametrize("rate", ["1", "0.000000000000000001", "999999999999.999999999999999999", "150.10"])
def test_a_rate_is_an_exact_decimal(rate: str) -> None:
    assert decode_rate(json.dumps({**RATE, "rate": rate}).encode()).message.rate == rate


@pytest.mark.parametrize(
    "rate", ["0", "0.000", "-1", "1e3", "01", "1.", ".5", "1000000000000", "NaN", "", "1,5", "\u0661"]
)
def test_an_absurd_rate_is_refused(rate: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decode_rate(json.dumps({**RATE, "rate": rate}).encode())
    assert caught.value.reason is Reason.BAD_VALUE


@pytest.mark.parametrize(
    "changed, reason",
    [
        ({"rate": 1.08}, Reason.WRONG_TYPE),
        ({"rate": "1.08\n"}, Reason.BAD_VALUE),
        ({"currency": "eur"}, Reason.BAD_VALUE),
        ({"date": "2026-02-30"}, Reason.BAD_TIME),
        ({"date": "22.11.2026"}, Reason.BAD_VALUE),
    ],
)
def test_a_bad_rate_is_named(changed: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(Undecodable) as caught:
        decode_rate(json.dumps({**RATE, **changed}).encode())
    assert caught.value.reason is reason


LABEL = {**EVENT, "disposition_id": "d", "label": "fraud", "status": "final"}


@pytest.mark.parametrize(
    "of, reason",
    [
        ({}, Reason.MISSING_FIELD),
        ({"transaction_id": "t"}, Reason.MISSING_FIELD),
        ({"transaction_id": "t", "source": "s", "alert_id": "a"}, Reason.BAD_VALUE),
    ],
)
def test_a_label_is_for_a_transaction_or_for_an_alert(of: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(Undecodable) as caught:
        decode_disposition(json.dumps({**LABEL, **of}).encode())
    assert caught.value.reason is reason


def test_a_policy_keeps_its_line_breaks_and_nothing_else_does() -> None:
    fields = {
        **UNFROZEN,
        "event_type": "policy.proposed",
        "policy": "default",
        "version": 2,
        "base_digest": "0" * 64,
        "yaml": "a: 1\nb: 2\n",
    }
    assert decode_policy_event(json.dumps(fields).encode()).unknown_fields == 1  # customer_id
    with pytest.raises(Undecodable) as caught:
        decode_policy_event(json.dumps({**fields, "base_digest": "0" * 64 + "\n"}).encode())
    assert caught.value.detail == "$.base_digest: a control character"
