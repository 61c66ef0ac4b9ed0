"""The log of one customer's transactions: an entry each, in the order of arrival, for as long as they are kept singly.

It stands in bytes, just as they are written, so that nothing is encoded. What is asked of entries stands beside them.
"""

from struct import Struct
from struct import error as struct_error
from typing import Final
from zlib import crc32

from mypy_extensions import mypyc_attr

from pipeline.validate import REVERSAL, Intake

# Entries of one sealed segment. Up to twice as many stand in the head record, beside everything else: with the longest
# ids that the wire allows, four bytes a character, it is still below 64 KiB.
SEGMENT: Final = 32

# What stands in another module is looked up by its name, and this is asked of each transaction.
_crc32: Final = crc32
# Before the identity of an entry stand its length, the time since the entry before (ms), what the entry counts (see
# below) and the digest of its content; the highest bit of the first byte tells which of two forms that is.
_SHORT: Final = Struct("<BiII")
_LONG: Final = Struct("<HqqI")
_pack_short: Final = _SHORT.pack
_pack_long: Final = _LONG.pack
_SHORT_SIZE: Final = 13
_LONG_SIZE: Final = 22
_LONG_BIT: Final = 0x80
_LONGEST_SHORT: Final = 0x7F
_SHORT_SINCE: Final = 2**31
_SHORT_COUNTED: Final = 2**32
# What an entry counts: amount (base minor units), whether declined, index of its type.
_AMOUNT_SHIFT: Final = 4
_DECLINED: Final = 0b1000
_TYPE: Final = 0b111


@mypyc_attr(acyclic=True)
class Entry:
    """What is asked of an entry: when it occurred (epoch ms), what it counts (see `amount_of` and the like), its id."""

    __slots__ = ("counted", "identity", "position", "time")

    def __init__(self, position: int, time: int, counted: int, identity: str) -> None:
        """Put it together."""
        self.position = position
        self.time = time
        self.counted = counted
        self.identity = identity


@mypyc_attr(acyclic=True)
class Log:
    """Positions number the entries by arrival and are never reused; the entry at position p stands at p - first."""

    __slots__ = (
        "_where", "before_ms", "end", "entries", "first", "first_segment", "first_standing", "sealed", "segments",
        "source", "tail", "written",
    )  # fmt: skip

    def __init__(self) -> None:
        """An empty one."""
        # The first processor's name.
        self.source = ""
        self.first = 0
        # When the entry before the first one occurred.
        self.before_ms = 0
        # Entries before `sealed` stand in segments of their own, numbered from `first_segment` on; before `written`
        # those segments have been handed out, and none before `first_standing` still stands. All others are the tail.
        self.sealed = 0
        self.written = 0
        self.first_segment = 0
        self.first_standing = 0
        self.segments: list[bytes] = []
        self.tail = b""
        # Derived. The position after the last; the entries, and the newest of each identity.
        self.end = 0
        self.entries: list[Entry] = []
        self._where: dict[str, Entry] = {}

    def append(self, intake: Intake, amount: int) -> int:
        """Put in an entry of so much (base minor units), and return its position."""
        position = self.end
        time = intake.occurred_ms
        counted = counted_of(amount, intake.type_index, declined=intake.declined)
        if not self.source:
            self.source = intake.source
        identity = _identity(intake.source, self.source, intake.transaction_id)
        encoded = identity.encode()
        content = _content_of(intake)
        since = time - (self.entries[-1].time if self.entries else self.before_ms)
        size = len(encoded)
        if size <= _LONGEST_SHORT and -_SHORT_SINCE <= since < _SHORT_SINCE and counted < _SHORT_COUNTED:
            begin = _pack_short(size, since, counted, content)
        else:
            begin = _pack_long((size & _LONGEST_SHORT) | _LONG_BIT | size >> 7 << 8, since, counted, content)
        self.tail = b"%b%b%b" % (self.tail, begin, encoded)
        entry = Entry(position, time, counted, identity)
        self.entries.append(entry)
        self._where[identity] = entry
        self.end = position + 1
        if position + 1 - self.sealed >= 2 * SEGMENT:
            at = _skip(self.tail, SEGMENT)
            self.segments.append(self.tail[:at])
            self.tail = self.tail[at:]
            self.sealed += SEGMENT
        return position

    def derive(self) -> None:
        """Rebuild what is derived from the bytes, after they were read.

        Raises:
            ValueError: the bytes are no log.

        """
        self.end = self.first
        for data in self.segments:
            self._derive(data)
        if len(self.entries) != len(self.segments) * SEGMENT or self.sealed != self.end:
            raise ValueError("a log has more or fewer entries than are sealed")
        self._derive(self.tail)
        self.first_standing, self.written = self.first_segment, self.sealed

    def _derive(self, data: bytes) -> None:
        time = self.entries[-1].time if self.entries else self.before_ms
        at = 0
        try:
            while at < len(data):
                size, since, counted, _, at = _read(data, at)
                identity = data[at : at + size].decode()
                at += size
                time += since
                entry = Entry(self.end, time, counted, identity)
                self.entries.append(entry)
                self._where[identity] = entry
                self.end += 1
        except struct_error as error:
            raise ValueError(f"a log's bytes end within an entry: {error}") from None
        if at > len(data):
            raise ValueError("a log's bytes end within an id")

    def find(self, source: str, transaction_id: str) -> int:
        """The position of the newest entry with this identity, -1 if there is none."""
        entry = self._where.get(_identity(source, self.source, transaction_id))
        return -1 if entry is None else entry.position

    def time(self, position: int) -> int:
        """When the entry occurred, epoch ms."""
        return self.entries[position - self.first].time

    def counts(self, position: int) -> int:
        """What the entry counts: see `amount_of`, `type_of`, `is_declined` and `counts_for`."""
        return self.entries[position - self.first].counted

    def holds(self, position: int, intake: Intake) -> bool:
        """Whether the entry is this very transaction, told again: the fields that make its content are the same."""
        return (
            self.time(position) == intake.occurred_ms
            and self.counts(position) & (_TYPE | _DECLINED) == _kind_of(intake)
            and self._content(position) == _content_of(intake)
        )

    def id(self, position: int) -> str:
        """The entry's transaction id."""
        identity = self.entries[position - self.first].identity
        return identity[identity.find("\0") + 1 :]

    def cut(self, done: int) -> None:
        """Cut at most so many entries off the front, of sealed segments whole ones only."""
        sealed = self.sealed - self.first
        cut = min(done, sealed) // SEGMENT
        if sealed:
            del self.segments[:cut]
            self.first_segment += cut
            if cut * SEGMENT < sealed:
                done = cut * SEGMENT
        if done == 0:
            return
        if done > cut * SEGMENT:
            self.tail = self.tail[_skip(self.tail, done - cut * SEGMENT) :]
        self.before_ms = self.entries[done - 1].time
        for entry in self.entries[:done]:
            if self._where.get(entry.identity) is entry:
                del self._where[entry.identity]
        del self.entries[:done]
        self.first += done
        self.sealed = max(self.sealed, self.first)

    def _content(self, position: int) -> int:
        """Digest of the entry's content."""
        data, index = self.tail, position - self.sealed
        if index < 0:
            index = position - self.first
            data, index = self.segments[index // SEGMENT], index % SEGMENT
        return _read(data, _skip(data, index))[3]


def counted_of(amount: int, type_index: int, *, declined: bool) -> int:
    """What an entry of so many base minor units counts."""
    return amount << _AMOUNT_SHIFT | (type_index | _DECLINED if declined else type_index)


def counts_for(counted: int, mask: int) -> bool:
    """Whether an entry counts for the types in `mask`; a reversal never does."""
    return mask >> (counted & _TYPE) & 1 == 1 and counted & _TYPE != REVERSAL


def amount_of(counted: int) -> int:
    """Base minor units of an entry."""
    return counted >> _AMOUNT_SHIFT


def type_of(counted: int) -> int:
    """The index of the transaction type of an entry."""
    return counted & _TYPE


def is_declined(counted: int) -> bool:
    """Whether an entry was declined."""
    return counted & _DECLINED != 0


def _read(data: bytes, at: int) -> tuple[int, int, int, int, int]:
    """Size of the identity, time since the entry before, what it counts, content; and where the identity begins."""
    fields: tuple[int, int, int, int]
    if data[at] & _LONG_BIT:
        fields = _LONG.unpack_from(data, at)
        size = fields[0] & _LONGEST_SHORT | fields[0] >> 8 << 7
        return size, fields[1], fields[2], fields[3], at + _LONG_SIZE
    fields = _SHORT.unpack_from(data, at)
    return fields[0], fields[1], fields[2], fields[3], at + _SHORT_SIZE


def _skip(data: bytes, entries: int) -> int:
    """Where the entries after the first so many begin."""
    at = 0
    for _ in range(entries):
        size = data[at]
        at += _SHORT_SIZE + size if size <= _LONGEST_SHORT else _LONG_SIZE + (size & _LONGEST_SHORT | data[at + 1] << 7)
    return at


def _kind_of(intake: Intake) -> int:
    """The lowest bits of what an entry counts."""
    return intake.type_index | _DECLINED if intake.declined else intake.type_index


def _content_of(intake: Intake) -> int:
    """Digest of what makes two messages of one identity the same transaction: CRC-32, which misses no small change.

    Left out is what an entry says anyway: when it occurred, its type, whether declined. Nothing is won by a collision:
    neither a duplicate nor a conflicting one is counted.
    """
    # None of these holds a control character.
    fields = [
        intake.currency, intake.account_id, intake.card_token, intake.payee_id, intake.merchant_id, intake.terminal_id,
        intake.device_id,
    ]  # fmt: skip
    if intake.original_transaction_id or intake.original_ms:
        fields += (intake.original_transaction_id, str(intake.original_ms))
    amount = intake.amount_minor
    return _crc32("\0".join(fields).encode(), (amount ^ amount >> 32) & 0xFFFF_FFFF)


def _identity(source: str, first_source: str, transaction_id: str) -> str:
    """What tells one transaction of a customer from another.

    Nearly every customer has one processor: its name is kept once, of others a digest with each id. Ids hold no control
    characters, so the two forms cannot meet.
    """
    return transaction_id if source == first_source else f"{crc32(source.encode()):08x}\0{transaction_id}"
