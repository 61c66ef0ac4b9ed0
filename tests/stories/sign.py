"""`python -m tests.stories.sign FILE…`: sign what a story's people approve, in place.

Signs every value that holds a `signature` (by its `actor`) or `countersignatures` (by each `person`). Only these lines
are written anew; in the others not a character changes.
"""

import sys
from pathlib import Path
from typing import Any

from msgspec.json import decode, encode

from schemas.signing import sign
from tests.grants import private_key


def signed(line: bytes) -> bytes:
    """The line with its signatures made; lines that nobody signs, and those that are no JSON, stay as they are."""
    if b'"signature"' not in line:
        return line
    record: dict[str, Any] = decode(line)
    fields = record["value"]
    fields["signature"]["value"] = sign(private_key(fields["actor"]), fields)
    for other in fields.get("countersignatures", ()):
        other["value"] = sign(private_key(other["person"]), fields)
    return encode(record)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        story = Path(name)
        story.write_bytes(b"".join(signed(line) + b"\n" for line in story.read_bytes().splitlines()))
