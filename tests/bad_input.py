"""Bad input as data: what a processor may send, and the one dead letter that must come of it.

`python -m tests.bad_input` writes docs/dead-letters.md from this table; `--check` says whether it is current.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from schemas.reasons import DeadLetterReason as Reason

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
CARD = "4111111111111111"


class Bad(NamedTuple):
    """A value on `transactions`, and what becomes of it. `key` None is no key."""

    what: str
    reason: Reason
    value: bytes | None
    key: bytes | None = b"c-1"


def _with(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def _raw(field: str, text: str) -> bytes:
    """The good transaction with one field's JSON text in place of its value."""
    return _with(**{field: "@"}).replace(b'"@"', text.encode())


REQUIRED = ("transaction_id", "customer_id", "occurred_at", "amount", "currency", "transaction_type")

TABLE: tuple[Bad, ...] = (
    Bad("no value (a tombstone)", Reason.EMPTY_VALUE, None),
    Bad("a value of no bytes", Reason.EMPTY_VALUE, b""),
    Bad("broken UTF-8", Reason.NOT_UTF8, b'{"description": "\xff\xfe"}'),
    Bad("UTF-16", Reason.NOT_UTF8, json.dumps(GOOD).encode("utf-16")),
    Bad("a byte order mark", Reason.NOT_JSON, b"\xef\xbb\xbf" + json.dumps(GOOD).encode()),
    Bad("broken JSON", Reason.NOT_JSON, b'{"transaction_id": "t-1"'),
    Bad("two values", Reason.NOT_JSON, json.dumps(GOOD).encode() * 2),
    Bad("a NUL byte", Reason.NOT_JSON, json.dumps(GOOD).encode() + b"\0"),
    Bad("`NaN`", Reason.NOT_JSON, _raw("amount", "NaN")),
    Bad("a comment", Reason.NOT_JSON, b"/* hello */" + json.dumps(GOOD).encode()),
    Bad("deep nesting", Reason.TOO_DEEP, b'{"a":' * 5000 + b"1" + b"}" * 5000),
    Bad("deep nesting in an unknown field", Reason.TOO_DEEP, _raw("extra", "[" * 100 + "]" * 100)),
    Bad("an array", Reason.WRONG_TYPE, b"[]"),
    Bad("a text", Reason.WRONG_TYPE, b'"hello"'),
    Bad("`null`", Reason.WRONG_TYPE, b"null"),
    Bad("an empty object", Reason.MISSING_FIELD, b"{}"),
    *(
        Bad(f"no `{name}`", Reason.MISSING_FIELD, json.dumps({k: v for k, v in GOOD.items() if k != name}).encode())
        for name in REQUIRED
    ),
    Bad("no `source`, in the body or a header", Reason.MISSING_FIELD, _with(source="")),
    Bad("a reversal of nothing", Reason.MISSING_FIELD, _with(transaction_type="reversal")),
    Bad("an amount in major units", Reason.WRONG_TYPE, _raw("amount", "10.50")),
    Bad("an amount `12.0`", Reason.WRONG_TYPE, _raw("amount", "12.0")),
    Bad("an amount in text", Reason.WRONG_TYPE, _with(amount="1000")),
    Bad("an amount `true`", Reason.WRONG_TYPE, _with(amount=True)),
    Bad("an id that is a number", Reason.WRONG_TYPE, _with(transaction_id=7)),
    Bad("a time that is a number", Reason.WRONG_TYPE, _with(occurred_at=1_763_640_000)),
    Bad("a location in text", Reason.WRONG_TYPE, _with(location="here")),
    Bad("an empty id", Reason.BAD_VALUE, _with(transaction_id="")),
    Bad("an unknown type", Reason.BAD_VALUE, _with(transaction_type="gift")),
    Bad("an unknown status", Reason.BAD_VALUE, _with(status="maybe")),
    Bad("a latitude of 91 degrees", Reason.BAD_VALUE, _with(location={"lat": 91, "lon": 0})),
    Bad("half a surrogate pair", Reason.BAD_VALUE, _raw("description", '"\\ud83d"')),
    Bad("a control character in an id", Reason.BAD_VALUE, _raw("transaction_id", '"t\\u0000"')),
    Bad("a description of 5 MB", Reason.FIELD_TOO_LONG, _with(description="x" * 5_000_000)),
    Bad("an id of 129 characters", Reason.FIELD_TOO_LONG, _with(merchant_id="m" * 129)),
    Bad("an unknown field of 5 MB", Reason.FIELD_TOO_LONG, _with(extra="x" * 5_000_000)),
    Bad("a negative amount", Reason.NEGATIVE_AMOUNT, _with(amount=-1)),
    Bad("an amount of 16 digits", Reason.ABSURD_AMOUNT, _with(amount=10**15)),
    Bad("an amount of 400 digits", Reason.ABSURD_AMOUNT, _with(amount=10**400)),
    Bad("a hundred billion dollars and a cent", Reason.ABSURD_AMOUNT, _with(amount=10**13 + 1)),
    Bad("an unknown currency", Reason.UNKNOWN_CURRENCY, _with(currency="QQQ")),
    Bad("a currency in lower case", Reason.UNKNOWN_CURRENCY, _with(currency="usd")),
    Bad("a currency without a rate", Reason.NO_RATE, _with(currency="EUR")),
    Bad("a time without an offset", Reason.BAD_TIME, _with(occurred_at="2026-11-20T12:00:00")),
    Bad("30 February", Reason.BAD_TIME, _with(occurred_at="2026-02-30T12:00:00Z")),
    Bad("25 o'clock", Reason.BAD_TIME, _with(occurred_at="2026-11-20T25:00:00Z")),
    Bad("a date in words", Reason.BAD_TIME, _with(occurred_at="yesterday")),
    Bad("a day and a millisecond late", Reason.TOO_LATE, _with(occurred_at="2026-11-19T11:59:59.999Z")),
    Bad("the year 1970", Reason.TOO_LATE, _with(occurred_at="1970-01-01T00:00:00Z")),
    Bad("five minutes and a millisecond early", Reason.FROM_THE_FUTURE, _with(occurred_at="2026-11-20T12:05:00.001Z")),
    Bad("the year 9999", Reason.FROM_THE_FUTURE, _with(occurred_at="9999-12-31T23:59:59Z")),
    Bad("no key", Reason.EMPTY_KEY, _with(), None),
    Bad("an empty key", Reason.EMPTY_KEY, _with(), b""),
    Bad("a key that contradicts the body", Reason.KEY_MISMATCH, _with(), b"c-2"),
    Bad("a card number in the description", Reason.CARD_NUMBER, _with(description=f"paid with {CARD}")),
    Bad("with spaces", Reason.CARD_NUMBER, _with(description="4111 1111 1111 1111")),
    Bad("with hyphens, beside another number", Reason.CARD_NUMBER, _with(description="12 4111-1111-1111-1111 7")),
    Bad("behind an escape", Reason.CARD_NUMBER, _raw("description", '"\\u0034111111111111111"')),
    Bad("in an unknown field", Reason.CARD_NUMBER, _with(pan=CARD)),
    Bad("as an integer", Reason.CARD_NUMBER, _with(pan=int(CARD))),
    Bad("nested", Reason.CARD_NUMBER, _with(card={"numbers": [CARD]})),
    Bad("in a text that is no id", Reason.CARD_NUMBER, _with(channel=CARD)),
)


def document() -> str:
    """docs/dead-letters.md, from the table."""
    reasons = "\n".join(
        f"| `{reason.value}` | {reason.meaning} | {'yes' if reason.replayable else 'no'} |" for reason in Reason
    )
    cases = "\n".join(f"| {bad.what} | `{bad.reason.value}` |" for bad in TABLE)
    return f"""# Dead letters

Whatever cannot be decided goes to `dead-letters`: its own bytes under its own key, and headers that say why (`reason`,
`detail`), where it came from (`topic`, `partition`, `offset`) and when it first arrived (`tw_first_arrival`). Card
numbers are masked there, and a value above 900 kB is cut; `digest` (SHA-256) and `size` are then those of the original.

This page is written by `python -m tests.bad_input` from the table that `tests/test_bad_input.py` runs.

## Reasons

| reason | meaning | can be replayed |
|---|---|---|
{reasons}

## What is sent, and what becomes of it

Each line is one record on `transactions`, and exactly one dead letter.

| a transaction with | reason |
|---|---|
{cases}
"""


if __name__ == "__main__":
    if "--check" not in sys.argv:
        DOCUMENT.write_text(document())
    elif DOCUMENT.read_text() != document():
        sys.exit(f"{DOCUMENT} is not current: run python -m tests.bad_input")
