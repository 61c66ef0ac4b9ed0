"""Card numbers must not travel: found by brand prefix, length and Luhn; masked to the first six and last four digits.

Prefixes and lengths: ISO/IEC 7812 issuer ranges as the brands publish them. Luhn: ISO/IEC 7812-1, annex B.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Final

import orjson

from schemas.transaction import ID_FIELDS, TEXT_FIELDS, Transaction

# Twelve digits or more, with what people type between them. Runs over every raw message, so it is translate and find,
# ten times faster than a regular expression that tries again at each digit. To translate and delete costs twice as much
# as to translate, so first a long run of digits and what may stand between them is looked for.
_DIGITS: Final = b"0123456789"
_DIGITS_TO_ZERO: Final = bytes.maketrans(_DIGITS, b"0" * 10)
_SUSPECT: Final = b"0" * 12
_BACKSLASH: Final = 0x5C
# What may stand between the digits of one number, and of UTF-8 whatever is not ASCII: a closer look tells.
_BETWEEN_DIGITS: Final = b" -\0\t\r\n" + bytes(range(0x80, 0x100))
_BOTH_TO_ZERO: Final = bytes.maketrans(_DIGITS + _BETWEEN_DIGITS, b"0" * (10 + len(_BETWEEN_DIGITS)))
# Spaces and hyphens of every kind that a text field lets in, and the NULs that UTF-16 puts there.
_BETWEEN: Final = r"[\s\u2010-\u2015-]"
_RUN = re.compile(rf"[0-9](?:\0?(?:{_BETWEEN}\0?){{0,3}}[0-9]){{11,}}")
# Stands between no two digits of one number.
_APART: Final = "|"
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([tnr]))")
_DIGIT_OR_BETWEEN = re.compile(rf"[0-9]|{_BETWEEN}")
_WHOLE = re.compile(r"-?([0-9]+)(?:\.0*)?")
_GROUP = re.compile(r"[0-9]+")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[{}\[\]]', re.DOTALL)
_COLON = re.compile(rb"\s*:")
_IDS = ID_FIELDS | {"event_id", "disposition_id", "alert_id"}

_TO_VALUES: Final = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED: Final = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_BRANDS: tuple[tuple[int, int, frozenset[int]], ...] = tuple(
    (int(f"{low:0<6}"), int(f"{high:9<6}"), frozenset(lengths))
    for low, high, lengths in (
        ("4", "4", (13, 16, 19)),  # Visa
        ("51", "55", (16,)),  # Mastercard
        ("2221", "2720", (16,)),
        ("34", "34", (15,)),  # American Express
        ("37", "37", (15,)),
        ("300", "305", (14, 16, 17, 18, 19)),  # Diners Club
        ("36", "36", (14, 15, 16, 17, 18, 19)),
        ("38", "39", (14, 16, 17, 18, 19)),
        ("3528", "3589", (16, 17, 18, 19)),  # JCB
        ("6011", "6011", (16, 17, 18, 19)),  # Discover
        ("644", "649", (16, 17, 18, 19)),
        ("65", "65", (16, 17, 18, 19)),
        ("62", "62", (16, 17, 18, 19)),  # UnionPay
        ("2200", "2204", (16, 17, 18, 19)),  # Mir
        ("5018", "5018", (12, 13, 14, 15, 16, 17, 18, 19)),  # Maestro
        ("5020", "5020", (12, 13, 14, 15, 16, 17, 18, 19)),
        ("5038", "5038", (12, 13, 14, 15, 16, 17, 18, 19)),
        ("5893", "5893", (12, 13, 14, 15, 16, 17, 18, 19)),
        ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
        ("6759", "6759", (12, 13, 14, 15, 16, 17, 18, 19)),
        ("6761", "6763", (12, 13, 14, 15, 16, 17, 18, 19)),
    )
)


def may_hold_card(value: bytes) -> bool:
    """Whether a closer look is due: a long run of digits, or escapes that may hide one."""
    # For bytes, `in` costs twice as much as `find`; for a number it is a plain memchr.
    if _BACKSLASH in value:
        return True
    if value.translate(_BOTH_TO_ZERO).find(_SUSPECT) < 0:
        return False
    return value.translate(_DIGITS_TO_ZERO, _BETWEEN_DIGITS).find(_SUSPECT) >= 0


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Spans of card numbers, left to right, not overlapping; groups of digits may be parted by spaces and hyphens."""
    for run in _RUN.finditer(text):
        groups = [found.span() for found in _GROUP.finditer(text, run.start(), run.end())]
        digits = "".join([text[begin:end] for begin, end in groups])
        for first, last in _cards(digits, list(accumulate([end - begin for begin, end in groups]))):
            yield groups[first][0], groups[last][1]


def _cards(digits: str, ends: list[int]) -> Iterator[tuple[int, int]]:
    """First and last group of each card number; `ends` says where the groups end. The shortest number counts.

    Linear in whatever is thrown at it: a message may hold half a million digits with spaces between them.
    """
    values = digits.encode().translate(_TO_VALUES)
    group_of_end = {end: group for group, end in enumerate(ends)}
    first = begin = 0
    while first < len(ends):
        for length in _lengths(digits[begin : begin + 6]):
            last = group_of_end.get(begin + length)
            if last is not None and _passes_luhn(values[begin : begin + length]):
                yield first, last
                first = last
                break
        begin = ends[first]
        first += 1


@lru_cache(maxsize=16_384)
def _lengths(prefix: str) -> tuple[int, ...]:
    """How many digits a card number that begins like this may have."""
    number = int(f"{prefix:0<6}")
    return tuple(sorted({length for low, high, lengths in _BRANDS if low <= number <= high for length in lengths}))


def _passes_luhn(values: bytes) -> bool:
    """Whether the last digit is the right check digit; `values` are the digits as numbers."""
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


def mask_text(text: str) -> tuple[str, int]:
    """The text with its card numbers masked, and how many there were."""
    pieces: list[str] = []
    found = done = 0
    for start, end in find_cards(text):
        found += 1
        digits = [at for at in range(start, end) if text[at].isdigit()]
        for at in digits[6:-4]:
            pieces += (text[done:at], "*")
            done = at + 1
    pieces.append(text[done:])
    return "".join(pieces), found


def mask_value(value: bytes) -> tuple[bytes, int]:
    """A message with the card numbers outside its id fields masked, and how many there were.

    Bytes that are no JSON object are masked wherever digits stand: nothing says there which of them are ids.
    """
    if not may_hold_card(value):
        return value, 0
    try:
        whole = orjson.loads(value)
    except orjson.JSONDecodeError:
        whole = None
    if isinstance(whole, dict):
        return _mask_tokens(value)
    text = _ESCAPED.sub(_unescaped, value.decode("utf-8", "surrogateescape"))
    masked, found = mask_text(text)
    return (masked.encode("utf-8", "surrogateescape"), found) if found else (value, 0)


def _unescaped(escape: re.Match[str]) -> str:
    """What an escape of JSON stands for, if that may be part of a number; otherwise the escape."""
    code, letter = escape.groups()
    character = chr(int(code, 16)) if code else {"t": "\t", "n": "\n", "r": "\r"}[letter]
    return character if _DIGIT_OR_BETWEEN.fullmatch(character) else escape.group()


def _mask_tokens(value: bytes) -> tuple[bytes, int]:
    pieces: list[bytes] = []
    found = done = depth = 0
    key = ""
    for token in _TOKEN.finditer(value):
        raw = token.group()
        if raw in b"{}[]":
            depth += 1 if raw in b"{[" else -1
            continue
        is_text = raw[:1] == b'"'
        is_key = is_text and _COLON.match(value, token.end()) is not None
        text: str = orjson.loads(raw) if is_text else raw.decode()
        # Only the contract's own id fields are ids: the same name further down is anybody's.
        is_id = not is_key and depth == 1 and key in _IDS
        may_be_card = not is_id and (is_text or _WHOLE.fullmatch(text) is not None)
        masked, count = mask_text(text) if may_be_card else (text, 0)
        if count:
            found += count
            pieces += (value[done : token.start()], orjson.dumps(masked))
            done = token.end()
        key = text if is_key else ""
    pieces.append(value[done:])
    return b"".join(pieces), found


def holds_card(transaction: Transaction, value: bytes, unknown_fields: int) -> bool:
    """Whether a decoded transaction carries a card number outside its id fields."""
    if unknown_fields:
        return mask_value(value)[1] > 0
    texts = _long_ones([str(transaction.amount), *[getattr(transaction, name) for name in TEXT_FIELDS]])
    return texts != "" and next(find_cards(texts), None) is not None


def card_like_ids(transaction: Transaction) -> int:
    """How many id fields could pass for card numbers: a sign of a processor that uses card numbers as ids."""
    ids = _long_ones([getattr(transaction, name) for name in ID_FIELDS])
    return len(list(find_cards(ids))) if ids else 0


def _long_ones(fields: list[str]) -> str:
    """The fields that have room for a card number: most have none, and to search costs by the digit."""
    return _APART.join([field for field in fields if len(field) >= len(_SUSPECT)])
