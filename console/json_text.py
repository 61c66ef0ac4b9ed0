"""JSON as text: where an object's members stand in it, and whether bytes are JSON to every reader."""

import json
import re

from msgspec import DecodeError, Raw
from msgspec.json import Decoder

_check_json = Decoder(Raw).decode
# A string that never closes is one token too: looking for its end again from every later quote would take for ever.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{},:]', re.DOTALL)


def members(text: bytes) -> dict[str, slice]:
    """Where the values of a JSON object's members stand, however deep they are nested; of two of a name, the last."""
    found: dict[str, slice] = {}
    depth = 0
    name, start = "", -1
    last = b""
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in b"}]":
            depth -= 1
        if start >= 0 and ((mark == b"," and depth == 1) or depth == 0):
            found[name] = _stripped(text, start, token.start())
            start = -1
        if mark == b":" and depth == 1:
            name, start = last.decode(errors="replace")[1:-1], token.end()
        if mark in b"{[":
            depth += 1
        last = mark
    return found


def _stripped(text: bytes, start: int, stop: int) -> slice:
    whole = text[start:stop]
    return slice(stop - len(whole.lstrip()), start + len(whole.rstrip()))


def is_json(text: bytes) -> bool:
    """Whether it is JSON by its grammar: however deep, and whatever its escapes stand for."""
    try:
        json.loads(text.decode(errors="replace"), parse_constant=_refuse)
    except RecursionError:
        return True  # whether its brackets close, the places of its members tell
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def is_one_json_value(value: bytes) -> bool:
    """Whether the bytes can stand in a line as they are, be read by any JSON reader and be cut out again unchanged."""
    if b"\n" in value or value != value.strip():
        return False
    try:
        _check_json(value)
        # Readers differ in what they refuse: lone surrogates, numbers without end, depth, bytes that are not UTF-8.
        json.loads(value)
    except (UnicodeDecodeError, DecodeError, RecursionError, ValueError):
        return False
    return True
