"""The log of one customer's transactions: an entry each, in the order of arrival, for as long as they are kept singly.

It stands as columns, in the form in which they are written. Whoever looks for a transaction by its id asks here.
"""

from typing import Final
from zlib import crc32

import msgspec

from pipeline.validate import Intake
from schemas.timestamps import MS_PER_HOUR

# By contract an original, and whatever could come twice, is known for 48 h.
KNOWN_MS: Final = 48 * MS_PER_HOUR
CONTENT_BYTES: Final = 4
# Entries of one sealed segment. Up to twice as many stand in the head record, beside everything else: with the longest
# ids that the wire allows, four bytes a character, it is still below 64 KiB.
SEGMENT: Final = 32

TYPE: Final = 0b111
DECLINED: Final = 0b1000
_SOURCE_SHIFT: Final = 4
_encode_content: Final = msgspec.msgpack.Encoder().encode


class Log:
    """Positions number the entries by arrival and are never reused; the entry at position p stands at p - first."""

    __slots__ = (
        "amounts", "contents", "end", "first", "first_segment", "first_standing", "ids", "kinds", "sealed", "source",
        "times", "where", "written",
    )  # fmt: skip

    def __init__(self) -> None:
        """An empty one."""
        # The first processor's name.
        self.source = ""
        self.first = 0
        self.end = 0
        self.ids: list[str] = []
        self.times: list[int] = []
        self.amounts: list[int] = []
        self.kinds: list[int] = []
        self.contents = bytearray()  # CONTENT_BYTES for each
        # Entries before `sealed` belong to segments of their own, numbered from `first_segment` on; before `written`
        # those segments have been handed out, and none before `first_standing` still stands.
        self.sealed = 0
        self.written = 0
        self.first_segment = 0
        self.first_standing = 0
        # Derived: identity to position, of those not folded.
        self.where: dict[str, int] = {}

    def append(self, intake: Intake, amount: int) -> int:
        """Put in an entry of so much (base minor units), and return its position."""
        position = self.end
        if not self.source:
            self.source = intake.source
        kind = intake.type_index
        identity = intake.transaction_id
        if intake.declined:
            kind |= DECLINED
        if intake.source != self.source:
            source = _source_number(intake.source)
            kind |= source << _SOURCE_SHIFT
            identity = _foreign_identity(source, identity)
        self.ids.append(intake.transaction_id)
        self.times.append(intake.occurred_ms)
        self.amounts.append(amount)
        self.kinds.append(kind)
        self.contents += content_of(intake)
        self.where[identity] = position
        self.end = position + 1
        if position + 1 - self.sealed >= 2 * SEGMENT:
            self.sealed += SEGMENT
        return position

    def known(self, source: str, transaction_id: str, arrived_ms: int) -> int:
        """The position of a transaction that is known at an arrival, -1 if it is not."""
        identity = transaction_id
        if source != self.source:
            identity = _foreign_identity(_source_number(source), identity)
        position = self.where.get(identity, -1)
        if position < 0 or arrived_ms - self.times[position - self.first] > KNOWN_MS:
            return -1
        return position

    def is_same(self, position: int, intake: Intake) -> bool:
        """Whether the entry has the content of this transaction."""
        at = (position - self.first) * CONTENT_BYTES
        return self.contents[at : at + CONTENT_BYTES] == content_of(intake)

    def note(self, position: int) -> None:
        """Let an entry that was read be found by its id."""
        self.where[self._identity(position)] = position

    def forget(self, position: int) -> None:
        """Do not know an entry any more."""
        identity = self._identity(position)
        if self.where.get(identity) == position:
            del self.where[identity]

    def cut(self, done: int) -> int:
        """Cut at most so many entries off the front, of sealed segments whole ones only; return how many."""
        if self.sealed > self.first:
            segments = min(done, self.sealed - self.first) // SEGMENT
            self.first_segment += segments
            done = done if segments * SEGMENT == self.sealed - self.first else segments * SEGMENT
        if done > 0:
            del self.ids[:done], self.times[:done], self.amounts[:done], self.kinds[:done]
            del self.contents[: done * CONTENT_BYTES]
            self.first += done
            self.sealed = max(self.sealed, self.first)
        return done

    def _identity(self, position: int) -> str:
        at = position - self.first
        source = self.kinds[at] >> _SOURCE_SHIFT
        return _foreign_identity(source, self.ids[at]) if source else self.ids[at]


def content_of(intake: Intake) -> bytes:
    """Digest of what makes two messages of one identity the same transaction: CRC-32, which misses no small change.

    Nothing is won by a collision: neither a duplicate nor a conflicting one is counted.
    """
    t = intake.transaction
    content = (
        t.customer_id, intake.occurred_ms, t.amount, t.currency, t.transaction_type, t.status,
        t.original_transaction_id, intake.original_ms, t.account_id, t.card_token, t.payee_id, t.merchant_id,
        t.terminal_id, t.device_id,
    )  # fmt: skip
    return crc32(_encode_content(content)).to_bytes(CONTENT_BYTES, "big")


def _source_number(source: str) -> int:
    """Nearly every customer has one processor: its name is kept once, of others a digest with each entry."""
    return crc32(source.encode()) or 1


def _foreign_identity(source_number: int, transaction_id: str) -> str:
    # Ids hold no control characters, so this form cannot meet that of the first processor's.
    return f"{source_number}\0{transaction_id}"
