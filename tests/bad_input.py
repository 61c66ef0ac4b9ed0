"""Bad input as data: what a processor may send, and the one dead letter that must come of it.

`python -m tests.bad_input` writes docs/dead-letters.md from this table; `--check` says whether it is current.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from pipeline.record import Headers, InputRecord
from schemas.reasons import DeadLetterReason as Reason
from schemas.timestamps import parse_ms
from schemas.transaction import Transaction

DOCUMENT = Path(__file__).parents[1] / "docs" / "dead-letters.md"
ARRIVAL = "2026-11-20T12:00:00.000Z"
GOOD: dict[str, object] = {
    "transaction_id": "t-1",
    "source": "pos",
    "customer_id": "c-1",
    "occurred_at": ARRIVAL,
    "amount": 1000,
    "currency": "USD",
    "transaction_type": "purchase",
}
GOOD_VALUE = json.dumps(GOOD).encode()
CARD = "4111111111111111"


# A record's own time is not always one: Kafka says -1 for none, and where history is loaded it is the producer's.
NO_TIMESTAMP, FAR_FUTURE = -1, 2**62


class Bad(NamedTuple):
    """A record, and what becomes of it. `key` None is no key; `card`: a card number stands in it and must be masked."""

    what: str
    reason: Reason
    value: bytes | None
    key: bytes | None = b"c-1"
    topic: str = "transactions"
    headers: Headers = ()
    arrival_ms: int = parse_ms(ARRIVAL)
    card: bool = False

    def record(self) -> InputRecord:
        """The record as it arrives."""
        return InputRecord(self.topic, 0, 41, self.arrival_ms, self.key, self.value, self.headers)


def _with(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def _without(name: str, whole: Mapping[str, object] = GOOD) -> bytes:
    return json.dumps({key: value for key, value in whole.items() if key != name}).encode()


def _raw(field: str, text: str) -> bytes:
    """The good transaction with one field's JSON text in place of its value."""
    return _with(**{field: "@"}).replace(b'"@"', text.encode())


def _card(what: str, value: bytes, reason: Reason = Reason.CARD_NUMBER, topic: str = "transactions") -> Bad:
    return Bad(what, reason, value, topic=topic, card=True)


EVENT: dict[str, object] = {
    "event_type": "account.frozen",
    "event_id": "e-1",
    "customer_id": "c-1",
    "occurred_at": ARRIVAL,
    "actor": "core",
}
LABEL: dict[str, object] = {
    "disposition_id": "d-1",
    "customer_id": "c-1",
    "occurred_at": ARRIVAL,
    "actor": "ana",
    "label": "fraud",
    "status": "final",
    "alert_id": "a-1",
}
RATE: dict[str, object] = {"currency": "EUR", "date": "2026-11-20", "rate": "1.08", "base_currency": "USD"}
LISTED: dict[str, object] = {
    "list": "deny",
    "kind": "payee",
    "value": "p-1",
    "actor": "ana",
    "reason": "reported twice",
    "at": ARRIVAL,
}
TAUGHT: dict[str, object] = {
    "kind": "terminal",
    "value": "t-1",
    "payment": "00112233445566aa",
    "customer": "ffeeddccbbaa0099",
    "paid_at": "2026-11-22T10:00:00Z",
    "label": "fraud",
    "weight": 100,
    "matures_at": "2026-11-22T11:00:00Z",
}
RISK: dict[str, object] = {
    "kind": "terminal",
    "value": "t-1",
    "at": "2026-11-22T10:00:00Z",
    "until": "2026-12-22T00:00:00Z",
    "frauds": 300,
    "labelled": 400,
    "customers": 3,
}
POLICY: dict[str, object] = {
    "event_type": "policy.initial",
    "event_id": "p-1",
    "occurred_at": ARRIVAL,
    "actor": "worker",
    "policy": "default",
    "version": 1,
    "digest": "0" * 64,
}


def _event(what: str, reason: Reason, key: bytes | None = b"c-1", **changes: object) -> Bad:
    return Bad(what, reason, json.dumps({**EVENT, **changes}).encode(), key, "customer-events")


def _label(what: str, reason: Reason, key: bytes | None = b"c-1", **changes: object) -> Bad:
    return Bad(what, reason, json.dumps({**LABEL, **changes}).encode(), key, "dispositions")


def _rate(what: str, reason: Reason, key: bytes | None = b"EUR/2026-11-20", **changes: object) -> Bad:
    return Bad(what, reason, json.dumps({**RATE, **changes}).encode(), key, "rates")


def _listed(what: str, because: Reason, key: bytes | None = b"deny/payee/p-1", **changes: object) -> Bad:
    return Bad(what, because, json.dumps({**LISTED, **changes}).encode(), key, "lists")


def _taught(what: str, because: Reason, key: bytes | None = b"terminal/t-1", **changes: object) -> Bad:
    return Bad(what, because, json.dumps({**TAUGHT, **changes}).encode(), key, "entity-labels")


def _risk(what: str, because: Reason, key: bytes | None = b"terminal/t-1", **changes: object) -> Bad:
    return Bad(what, because, json.dumps({**RISK, **changes}).encode(), key, "entity-risk")


def _policy(what: str, reason: Reason, key: bytes | None = b"default", **changes: object) -> Bad:
    return Bad(what, reason, json.dumps({**POLICY, **changes}).encode(), key, "policies")


REQUIRED = ("transaction_id", "customer_id", "occurred_at", "amount", "currency", "transaction_type")
NO_TEXTS = ("amount", "location")
NESTED: tuple[object, ...] = ({}, [])

NOT_READ = (
    Bad("no value (a tombstone)", Reason.EMPTY_VALUE, None),
    Bad("a value of no bytes", Reason.EMPTY_VALUE, b""),
    Bad("broken UTF-8", Reason.NOT_UTF8, b'{"description": "\xff\xfe"}'),
    Bad("UTF-16", Reason.NOT_UTF8, json.dumps(GOOD).encode("utf-16")),
    Bad("a character of UTF-8 cut in half", Reason.NOT_UTF8, _with(description="ü").replace(b"\\u00fc", b"\xc3")),
    Bad("a surrogate in UTF-8", Reason.NOT_UTF8, _with(description="@").replace(b"@", b"\xed\xa0\x80")),
    Bad("a byte order mark", Reason.NOT_JSON, b"\xef\xbb\xbf" + json.dumps(GOOD).encode()),
    Bad("broken JSON", Reason.NOT_JSON, b'{"transaction_id": "t-1"'),
    Bad("two values", Reason.NOT_JSON, json.dumps(GOOD).encode() * 2),
    Bad("a NUL byte", Reason.NOT_JSON, json.dumps(GOOD).encode() + b"\0"),
    Bad("a line feed within a text", Reason.NOT_JSON, _with(description="@").replace(b"@", b"\n")),
    Bad("a comma too many", Reason.NOT_JSON, json.dumps(GOOD).encode().replace(b"}", b",}")),
    Bad("single quotes", Reason.NOT_JSON, json.dumps(GOOD).encode().replace(b'"', b"'")),
    Bad("`NaN`", Reason.NOT_JSON, _raw("amount", "NaN")),
    Bad("a number with a leading zero", Reason.NOT_JSON, _raw("amount", "0100")),
    Bad("a comment", Reason.NOT_JSON, b"/* hello */" + json.dumps(GOOD).encode()),
    Bad("deep nesting", Reason.TOO_DEEP, b'{"a":' * 5000 + b"1" + b"}" * 5000),
    Bad("deep nesting in an unknown field", Reason.TOO_DEEP, _raw("extra", "[" * 100 + "]" * 100)),
    Bad("brackets without end", Reason.TOO_DEEP, b"[" * 100_000),
    Bad("an array", Reason.WRONG_TYPE, b"[]"),
    Bad("a text", Reason.WRONG_TYPE, b'"hello"'),
    Bad("`null`", Reason.WRONG_TYPE, b"null"),
    Bad("`true`", Reason.WRONG_TYPE, b"true"),
    Bad("a number", Reason.WRONG_TYPE, b"42"),
    Bad("half a surrogate pair", Reason.BAD_VALUE, _raw("description", '"\\ud83d"')),
    Bad("a number that no double can hold, in an unknown field", Reason.BAD_VALUE, _raw("extra", "1e400")),
)

FIELDS = (
    Bad("an empty object", Reason.MISSING_FIELD, b"{}"),
    *(Bad(f"no `{name}`", Reason.MISSING_FIELD, _without(name)) for name in REQUIRED),
    Bad("no `source`, in the body or a header", Reason.MISSING_FIELD, _without("source")),
    Bad("a reversal of nothing", Reason.MISSING_FIELD, _with(transaction_type="reversal")),
    *(
        Bad("a number in place of a text, in whatever field", Reason.WRONG_TYPE, _with(**{name: 7}))
        for name in Transaction.__struct_fields__
        if name not in NO_TEXTS
    ),
    *(
        Bad("`null` in whatever field but `location`", Reason.WRONG_TYPE, _with(**{name: None}))
        for name in Transaction.__struct_fields__
        if name != "location"
    ),
    *(
        Bad("an object or an array in place of a text or a number", Reason.WRONG_TYPE, _with(**{name: inner}))
        for name in ("amount", "customer_id", "description")
        for inner in NESTED
    ),
    Bad("an amount in major units", Reason.WRONG_TYPE, _raw("amount", "10.50")),
    Bad("an amount `12.0`", Reason.WRONG_TYPE, _raw("amount", "12.0")),
    Bad("an amount `1e3`", Reason.WRONG_TYPE, _raw("amount", "1e3")),
    Bad("an amount in text", Reason.WRONG_TYPE, _with(amount="1000")),
    Bad("an amount `true`", Reason.WRONG_TYPE, _with(amount=True)),
    Bad("a location in text", Reason.WRONG_TYPE, _with(location="here")),
    Bad("a location of two numbers", Reason.WRONG_TYPE, _with(location=[52.5, 13.4])),
    Bad("half a location", Reason.MISSING_FIELD, _with(location={"lat": 52.5})),
    Bad("an empty id", Reason.BAD_VALUE, _with(transaction_id="")),
    Bad("an unknown type", Reason.BAD_VALUE, _with(transaction_type="gift")),
    Bad("a type in upper case", Reason.BAD_VALUE, _with(transaction_type="Purchase")),
    Bad("an unknown status", Reason.BAD_VALUE, _with(status="maybe")),
    Bad("a latitude of 91 degrees", Reason.BAD_VALUE, _with(location={"lat": 91, "lon": 0})),
    Bad("a control character in an id", Reason.BAD_VALUE, _raw("transaction_id", '"t\\u0000"')),
    Bad("a line feed in an id", Reason.BAD_VALUE, _with(merchant_id="m\n1")),
    Bad("a description of 5 MB", Reason.FIELD_TOO_LONG, _with(description="x" * 5_000_000)),
    Bad("an id of 129 characters", Reason.FIELD_TOO_LONG, _with(merchant_id="m" * 129)),
    Bad("an unknown field of 5 MB", Reason.FIELD_TOO_LONG, _with(extra="x" * 5_000_000)),
    Bad("a negative amount", Reason.NEGATIVE_AMOUNT, _with(amount=-1)),
    Bad("an amount of 16 digits", Reason.ABSURD_AMOUNT, _with(amount=10**15)),
    Bad("an amount of 20 digits, below zero", Reason.NEGATIVE_AMOUNT, _with(amount=-(10**20))),
    Bad("an amount of 400 digits", Reason.ABSURD_AMOUNT, _with(amount=10**400)),
    Bad("a hundred billion dollars and a cent", Reason.ABSURD_AMOUNT, _with(amount=10**13 + 1)),
    Bad("an unknown currency", Reason.UNKNOWN_CURRENCY, _with(currency="QQQ")),
    Bad("a currency in lower case", Reason.UNKNOWN_CURRENCY, _with(currency="usd")),
    Bad("a currency by its sign", Reason.UNKNOWN_CURRENCY, _with(currency="$")),
    Bad("a currency without a rate", Reason.NO_RATE, _with(currency="EUR")),
    Bad("a `ce_source` that is not UTF-8", Reason.NOT_UTF8, _without("source"), headers=(("ce_source", b"\xff"),)),
    Bad("a `ce_source` too long", Reason.FIELD_TOO_LONG, _without("source"), headers=(("ce_source", b"s" * 129),)),
    Bad("a `ce_source` of two lines", Reason.BAD_VALUE, _without("source"), headers=(("ce_source", b"a\nb"),)),
)

TIMES = (
    Bad("a time without an offset", Reason.BAD_TIME, _with(occurred_at="2026-11-20T12:00:00")),
    Bad("a time without seconds", Reason.BAD_TIME, _with(occurred_at="2026-11-20T12:00Z")),
    Bad("a date alone", Reason.BAD_TIME, _with(occurred_at="2026-11-20")),
    Bad("30 February", Reason.BAD_TIME, _with(occurred_at="2026-02-30T12:00:00Z")),
    Bad("25 o'clock", Reason.BAD_TIME, _with(occurred_at="2026-11-20T25:00:00Z")),
    Bad("a leap second", Reason.BAD_TIME, _with(occurred_at="2026-11-20T12:00:60Z")),
    Bad("an offset of a day", Reason.BAD_TIME, _with(occurred_at="2026-11-20T12:00:00+24:00")),
    Bad("the year 0", Reason.BAD_TIME, _with(occurred_at="0000-11-20T12:00:00Z")),
    Bad("a moment before the year 1", Reason.BAD_TIME, _with(occurred_at="0001-01-01T00:00:00+01:00")),
    Bad("digits of another script", Reason.BAD_TIME, _with(occurred_at="२०२६-11-20T12:00:00Z")),
    Bad("a date in words", Reason.BAD_TIME, _with(occurred_at="yesterday")),
    Bad("no time at all", Reason.BAD_TIME, _with(occurred_at="")),
    Bad("an original of no readable time", Reason.BAD_TIME, _with(original_occurred_at="once")),
    Bad("no timestamp of the record", Reason.BAD_TIME, _with(), arrival_ms=NO_TIMESTAMP),
    Bad("a timestamp of the record far off", Reason.BAD_TIME, _with(), arrival_ms=FAR_FUTURE),
    Bad("a day and a millisecond late", Reason.TOO_LATE, _with(occurred_at="2026-11-19T11:59:59.999Z")),
    Bad("the year 1970", Reason.TOO_LATE, _with(occurred_at="1970-01-01T00:00:00Z")),
    Bad("five minutes and a millisecond early", Reason.FROM_THE_FUTURE, _with(occurred_at="2026-11-20T12:05:00.001Z")),
    Bad("the year 9999", Reason.FROM_THE_FUTURE, _with(occurred_at="9999-12-31T23:59:59Z")),
)

KEYS = (
    Bad("no key", Reason.EMPTY_KEY, _with(), None),
    Bad("an empty key", Reason.EMPTY_KEY, _with(), b""),
    Bad("a key that contradicts the body", Reason.KEY_MISMATCH, _with(), b"c-2"),
    Bad("a key in quotes", Reason.KEY_MISMATCH, _with(), b'"c-1"'),
    Bad("a key that is not UTF-8", Reason.KEY_MISMATCH, _with(), b"\xff"),
    Bad("a topic that nobody reads", Reason.UNKNOWN_TOPIC, _with(), topic="payments"),
)

CARDS = (
    _card("a card number in the description", _with(description=f"paid with {CARD}")),
    _card("with spaces", _with(description="4111 1111 1111 1111")),
    _card("with hyphens, beside another number", _with(description="12 4111-1111-1111-1111 7")),
    _card("with spaces that do not break", _with(description="4111\u00a01111\u202f1111\u00a01111")),
    _card(
        "with real dashes, in UTF-8",
        _with(description="@").replace(b"@", "4111\u20131111\u20111111\u20141111".encode()),
    ),
    _card("over two lines", _with(description="4111 1111\n1111 1111")),
    _card("behind an escape", _raw("description", '"\\u0034111111111111111"')),
    _card("with an escaped space", _raw("description", '"4111\\u00201111\\t1111 1111"')),
    _card("two of them", _with(description=f"{CARD}, 5500 0000 0000 0004")),
    _card("of American Express, with groups of its own", _with(description="3782 822463 10005")),
    _card("in an unknown field", _with(pan=CARD)),
    _card("as an integer", _with(pan=int(CARD))),
    _card("as a number with a point", _raw("pan", f"{CARD}.0")),
    _card("nested", _with(card={"numbers": [{"pan": CARD}]})),
    _card("in an array", _raw("pans", f"[1, {CARD}]")),
    _card("as a field's name", _with(**{CARD: True})),
    _card("in a field of an id's name, but nested", _with(extra={"card_token": CARD})),
    _card("in a text that is no id", _with(channel=CARD)),
    _card("in broken JSON", _with(description=CARD)[:-1], Reason.NOT_JSON),
    _card("in broken JSON, behind an escape", _raw("description", '"\\u0034111111111111111')[:-1], Reason.NOT_JSON),
    _card("in broken UTF-8", b'\xff{"description": "' + CARD.encode(), Reason.NOT_UTF8),
    _card("in UTF-16", json.dumps({"description": CARD}).encode("utf-16"), Reason.NOT_UTF8),
    _card("in a top-level array", b'["\\u0034111 1111 1111 1111"]', Reason.WRONG_TYPE),
    _card("in a transaction that is too late", _with(description=CARD, occurred_at="30 November"), Reason.BAD_TIME),
    _card("many thousands of them", _with(extra=f"{CARD}," * 50_000)),
    _card("among half a million digits", _with(extra="4 " * 20_000 + CARD)),
)

OTHER_TOPICS = (
    _event("of an unknown type", Reason.UNKNOWN_EVENT_TYPE, event_type="customer.promoted"),
    Bad("without a type", Reason.MISSING_FIELD, _without("event_type", EVENT), topic="customer-events"),
    Bad("without an id", Reason.MISSING_FIELD, _without("event_id", EVENT), topic="customer-events"),
    Bad("no event at all (a tombstone)", Reason.EMPTY_VALUE, None, topic="customer-events"),
    Bad("broken JSON", Reason.NOT_JSON, b"{", topic="customer-events"),
    Bad(
        "a field twice: what is signed must have one meaning",
        Reason.BAD_VALUE,
        b'{"event_id": "e-0", ' + json.dumps(EVENT).encode()[1:],
        topic="customer-events",
    ),
    _event("at no time", Reason.BAD_TIME, occurred_at="2026-13-01T00:00:00Z"),
    _event("without a key", Reason.EMPTY_KEY, None),
    _event("under another customer's key", Reason.KEY_MISMATCH, b"c-2"),
    _event("an approval without signature", Reason.MISSING_FIELD, event_type="account.unfrozen"),
    _card("a card number in the rationale", json.dumps({**EVENT, "rationale": CARD}).encode(), topic="customer-events"),
    _label("an unknown label", Reason.BAD_VALUE, label="suspicious"),
    _label("of nothing", Reason.MISSING_FIELD, alert_id=""),
    _label("of an alert and a transaction", Reason.BAD_VALUE, transaction_id="t-1", source="pos"),
    _label("under another customer's key", Reason.KEY_MISMATCH, b"c-2"),
    _card("a card number in an unknown field", json.dumps({**LABEL, "note": CARD}).encode(), topic="dispositions"),
    _rate("of zero", Reason.BAD_VALUE, rate="0.00"),
    _rate("as a number", Reason.WRONG_TYPE, rate=1.08),
    _rate("of an unknown currency", Reason.BAD_VALUE, b"QQQ/2026-11-20", currency="QQQ"),
    _rate("of a day that does not exist", Reason.BAD_TIME, b"EUR/2026-11-31", date="2026-11-31"),
    _rate("without a key", Reason.EMPTY_KEY, None),
    _rate("under another day's key", Reason.KEY_MISMATCH, b"EUR/2026-11-19"),
    _listed("on a list that does not exist", Reason.BAD_VALUE, list="grey"),
    _listed("without a reason", Reason.BAD_VALUE, reason=""),
    _listed("a reason with a card number", Reason.CARD_NUMBER, reason=f"used {CARD}")._replace(card=True),
    _listed(
        "an address that is no range",
        Reason.BAD_VALUE,
        b"deny/address/203.0.113.7/24",
        kind="address",
        value="203.0.113.7/24",
    ),
    _listed("under another value's key", Reason.KEY_MISMATCH, b"deny/payee/p-2"),
    _taught("of no payment", Reason.BAD_VALUE, payment="t-1"),
    _taught("of a time that does not exist", Reason.BAD_TIME, matures_at="2026-11-31T00:00:00Z"),
    _taught("under another entity's key", Reason.KEY_MISMATCH, b"terminal/t-2"),
    _risk("of a kind that nobody knows", Reason.BAD_VALUE, kind="customer"),
    _risk("with an end that does not exist", Reason.BAD_TIME, until="2026-11-31T00:00:00Z"),
    _risk("without a key", Reason.EMPTY_KEY, None),
    _risk("under another entity's key", Reason.KEY_MISMATCH, b"terminal/t-2"),
    _policy("of an unknown type", Reason.UNKNOWN_EVENT_TYPE, event_type="policy.forgotten"),
    _policy("under another policy's key", Reason.KEY_MISMATCH, b"other"),
    _policy("with a version in text", Reason.WRONG_TYPE, version="1"),
)

SECTIONS = {
    "Not to be read": NOT_READ,
    "Fields": FIELDS,
    "Times": TIMES,
    "Keys and topics": KEYS,
    "Card numbers": CARDS,
    "Other topics": OTHER_TOPICS,
}
TABLE: tuple[Bad, ...] = tuple(bad for rows in SECTIONS.values() for bad in rows)


def document() -> str:
    """docs/dead-letters.md, from the table."""
    reasons = "\n".join(
        f"| `{reason.value}` | {reason.meaning} | {'yes' if reason.replayable else 'no'} |" for reason in Reason
    )
    cases = "\n\n".join(
        f"### {title}\n\n| topic | what | reason |\n|---|---|---|\n{_lines(rows)}" for title, rows in SECTIONS.items()
    )
    return f"""# Dead letters

Whatever cannot be decided goes to `dead-letters`: its own bytes under its own key, and headers that say why (`reason`,
`detail`), where it came from (`topic`, `partition`, `offset`) and when it first arrived (`tw_first_arrival`). Card
numbers are masked there, and a value above 900 kB is cut; `digest` (SHA-256) and `size` are then those of the original.

`tierwatch dlq list | show | replay | discard` works through them. A replay sends the original bytes, key and headers
to the topic they came from, in one Kafka transaction with a record on `dead-letter-actions` that says who did it and
why: once, ever, also when two replay at the same time. Those records are a hash chain, followed by `tierwatch audit
verify`. It is judged by its new arrival, so replay within the policy's lateness. Masked and cut values cannot be sent
again.

This page is written by `python -m tests.bad_input` from the table that `tests/test_bad_input.py` runs.

## Reasons

| reason | meaning | can be replayed |
|---|---|---|
{reasons}

## What is sent, and what becomes of it

Each line is a record, and exactly one dead letter.

{cases}
"""


def _lines(rows: Iterable[Bad]) -> str:
    return "\n".join(dict.fromkeys(f"| {bad.topic} | {bad.what} | `{bad.reason.value}` |" for bad in rows))


if __name__ == "__main__":
    if "--check" not in sys.argv:
        DOCUMENT.write_text(document())
    elif DOCUMENT.read_text() != document():
        sys.exit(f"{DOCUMENT} is not current: run python -m tests.bad_input")
