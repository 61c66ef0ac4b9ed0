"""The log of one customer's transactions: an entry each, in the order of arrival, for as long as they are kept singly.

It stands in two columns of bytes, just as they are written: to keep it is to copy it, and it lies close together in
memory, where thousands of customers take turns.
"""

from struct import Struct
from typing import Final
from zlib import crc32

import msgspec

from pipeline.validate import REVERSAL, Intake

# Entries of one sealed segment. Up to twice as many stand in the head record, beside everything else: with the longest
# ids that the wire allows, four bytes a character, it is still below 64 KiB.
SEGMENT: Final = 32

# When it occurred (epoch ms), amount (base minor units), digest of the content, type with declined and source, and
# where its id ends among all ids there ever were (modulo 2**32).
_ENTRY: Final = Struct("<qqIII")
_TIME: Final = Struct("<q")
_SIZE: Final = 28
_TYPE: Final = 0b111
_DECLINED: Final = 0b1000
_SOURCE_SHIFT: Final = 4
_MODULO: Final = 0xFFFFFFFF
_encode_content: Final = msgspec.msgpack.Encoder().encode

# Time, amount, digest of the content, kind, end of the id.
Entry = tuple[int, int, int, int, int]


class Log:
    """Positions number the entries by arrival and are never reused."""

    __slots__ = (
        "_begin", "_sealed_ids", "_where", "end", "entries", "first", "first_segment", "first_standing", "ids",
        "sealed", "source", "written",
    )  # fmt: skip

    def __init__(self) -> None:
        """An empty one."""
        # The first processor's name.
        self.source = ""
        self.first = 0
        self.end = 0
        self.entries = bytearray()
        self.ids = bytearray()
        # Entries before `sealed` belong to segments of their own, numbered from `first_segment` on; before `written`
        # those segments have been handed out, and none before `first_standing` still stands.
        self.sealed = 0
        self.written = 0
        self.first_segment = 0
        self.first_standing = 0
        # Derived. Where the first id begins, modulo 2**32, and the bytes of sealed ids; their identities to positions.
        self._begin = 0
        self._sealed_ids = 0
        self._where: dict[bytes, int] = {}

    def append(self, intake: Intake, amount: int) -> int:
        """Put in an entry of so much (base minor units), and return its position."""
        position = self.end
        kind = intake.type_index
        if intake.declined:
            kind |= _DECLINED
        if not self.source:
            self.source = intake.source
        elif intake.source != self.source:
            kind |= _number(intake.source) << _SOURCE_SHIFT
        self.ids += intake.transaction_id.encode()
        end = (self._begin + len(self.ids)) & _MODULO
        self.entries += _ENTRY.pack(intake.occurred_ms, amount, content_of(intake), kind, end)
        self.end = position + 1
        if position + 1 - self.sealed >= 2 * SEGMENT:
            self.sealed += SEGMENT
            self._know(self.sealed - SEGMENT)
        return position

    def derive(self) -> None:
        """Rebuild what is derived from the columns, after they were read.

        Raises:
            ValueError: the columns do not fit each other.

        """
        self.end = self.first + len(self.entries) // _SIZE
        self.first_standing, self.written = self.first_segment, self.sealed
        if self.end > self.first:
            self._begin = (self.entry(self.end - 1)[4] - len(self.ids)) & _MODULO
        if (
            len(self.entries) % _SIZE
            or not self.first <= self.sealed <= self.end
            or self._id_begin(self.end) > len(self.ids)
        ):
            raise ValueError("a log's columns do not fit each other")
        for start in range(self.first, self.sealed, SEGMENT):
            self._know(start)

    def stretch(self, start: int, stop: int) -> tuple[bytes, bytes]:
        """What is written of the entries from position `start` to before `stop`: entries and ids."""
        first = self.first
        if start == first and stop == self.end:
            return bytes(self.entries), bytes(self.ids)
        return (
            bytes(self.entries[(start - first) * _SIZE : (stop - first) * _SIZE]),
            bytes(self.ids[self._id_begin(start) : self._id_begin(stop)]),
        )

    def find(self, source: str, transaction_id: str) -> int:
        """The position of the newest entry with this identity, -1 if there is none."""
        wanted = transaction_id.encode()
        number = 0 if source == self.source else _number(source)
        # Nearly always it stands nowhere; where it does, it may be a part of another one.
        if self.ids.find(wanted, self._sealed_ids) >= 0:
            for position in range(self.end - 1, self.sealed - 1, -1):
                if self.entry(position)[3] >> _SOURCE_SHIFT == number and self._id(position) == wanted:
                    return position
        return self._where.get(_identity(number, wanted), -1) if self._where else -1

    def entry(self, position: int) -> Entry:
        """All that stands there of an entry but its id."""
        entry: Entry = _ENTRY.unpack_from(self.entries, (position - self.first) * _SIZE)
        return entry

    def time(self, position: int) -> int:
        """When the entry occurred, epoch ms."""
        time: int = _TIME.unpack_from(self.entries, (position - self.first) * _SIZE)[0]
        return time

    def id(self, position: int) -> str:
        """The entry's transaction id."""
        return self._id(position).decode()

    def cut(self, done: int) -> None:
        """Cut at most so many entries off the front, of sealed segments whole ones only."""
        if self.sealed > self.first:
            segments = min(done, self.sealed - self.first) // SEGMENT
            for position in range(self.first, self.first + segments * SEGMENT):
                identity = _identity(self.entry(position)[3] >> _SOURCE_SHIFT, self._id(position))
                if self._where.get(identity) == position:
                    del self._where[identity]
            self.first_segment += segments
            done = done if segments * SEGMENT == self.sealed - self.first else segments * SEGMENT
        if done == 0:
            return
        ids = self._id_begin(self.first + done)
        del self.entries[: done * _SIZE]
        del self.ids[:ids]
        self.first += done
        self._begin = (self._begin + ids) & _MODULO if self.entries else 0
        self.sealed = max(self.sealed, self.first)
        self._sealed_ids = max(self._sealed_ids - ids, 0)

    def _know(self, start: int) -> None:
        """Let the entries of a sealed segment be found."""
        for position in range(start, start + SEGMENT):
            self._where[_identity(self.entry(position)[3] >> _SOURCE_SHIFT, self._id(position))] = position
        self._sealed_ids = self._id_begin(start + SEGMENT)

    def _id(self, position: int) -> bytes:
        return bytes(self.ids[self._id_begin(position) : self._id_begin(position + 1)])

    def _id_begin(self, position: int) -> int:
        return 0 if position == self.first else (self.entry(position - 1)[4] - self._begin) & _MODULO


def counts(kind: int, mask: int) -> bool:
    """Whether an entry of this kind counts for the types in `mask`; a reversal never does."""
    return mask >> (kind & _TYPE) & 1 == 1 and kind & _TYPE != REVERSAL


def type_of(kind: int) -> int:
    """The index of the transaction type of an entry."""
    return kind & _TYPE


def is_declined(kind: int) -> bool:
    """Whether an entry was declined."""
    return kind & _DECLINED != 0


def content_of(intake: Intake) -> int:
    """Digest of what makes two messages of one identity the same transaction: CRC-32, which misses no small change.

    Nothing is won by a collision: neither a duplicate nor a conflicting one is counted.
    """
    t = intake.transaction
    content = (
        intake.customer_id, intake.occurred_ms, intake.amount_minor, intake.currency, t.transaction_type, t.status,
        t.original_transaction_id, intake.original_ms, t.account_id, t.card_token, intake.payee_id, t.merchant_id,
        t.terminal_id, intake.device_id,
    )  # fmt: skip
    return crc32(_encode_content(content))


def _number(source: str) -> int:
    """Nearly every customer has one processor: its name is kept once, of others a digest with each entry."""
    return crc32(source.encode()) >> _SOURCE_SHIFT or 1


def _identity(number: int, transaction_id: bytes) -> bytes:
    return number.to_bytes(4, "big") + transaction_id
