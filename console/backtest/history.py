"""History read for one of several processes: the records of its customers, and what is known of each transaction."""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Final, NamedTuple
from zlib import crc32

from msgspec import DecodeError
from msgspec.json import Decoder

from console.csv_records import csv_records
from console.inputs import Input, lines_of, open_input
from console.record_lines import LineReader
from pipeline.record import InputRecord
from schemas.codec import Undecodable, decode_transaction
from schemas.disposition import Disposition
from schemas.timestamps import MS_PER_DAY
from schemas.topics import SHARED_TOPICS, TRANSACTION_TOPICS
from schemas.transaction import Transaction

# By source and id of the transaction: what it turned out to be, as far as that was said; the last word counts.
Labels = dict[tuple[str, str], bool]
VERDICTS: Final = {"fraud": True, "genuine": False}
_TRANSACTION: Final = re.compile(rb'"transaction_id"\s*:\s*"([^"\\]*)"')
_BLOCK_BYTES: Final = 1 << 20
# When a label of a CSV, which does not say that, becomes known after its payment.
_LABEL_DELAY_MS: Final = 7 * MS_PER_DAY
_CUSTOMER: Final = re.compile(rb'"customer_id"\s*:\s*"([^"\\]*)"')


class Share(NamedTuple):
    """Which part of the customers a process takes: number `part` of `parts`."""

    part: int
    parts: int

    def has(self, customer_id: bytes) -> bool:
        """Whether this customer is one of them."""
        return self.parts == 1 or crc32(customer_id) % self.parts == self.part


def labels(files: list[str], format_: str, share: Share) -> Labels:
    """What was said of the transactions of these customers, over the whole history: a test looks back."""
    return {
        (said.source, said.transaction_id): VERDICTS[said.label]
        for _, said in _dispositions(files, format_, share)
        if said.transaction_id and said.label in VERDICTS
    }


def said_of(files: list[str], format_: str) -> list[tuple[int, Disposition]]:
    """All that was said of transactions, with its arrival, epoch ms."""
    return [each for each in _dispositions(files, format_, Share(0, 1)) if each[1].transaction_id]


def payments_of(
    files: list[str], format_: str, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Transaction]:
    """The transactions of these sources and ids, as far as they can be read."""
    ids = {transaction_id.encode() for _, transaction_id in wanted}
    found: dict[tuple[str, str], Transaction] = {}
    for record in _of_mapping(files, format_) if format_ else _of_topic(files, b'"transactions', ids):
        if record.topic in TRANSACTION_TOPICS:
            try:
                said, _ = decode_transaction(record.value or b"")
            except Undecodable:
                continue
            if (said.source, said.transaction_id) in wanted:
                found[said.source, said.transaction_id] = said
    return found


def _dispositions(files: list[str], format_: str, share: Share) -> Iterator[tuple[int, Disposition]]:
    decode = Decoder(Disposition).decode
    for record in _of_mapping(files, format_) if format_ else _of_topic(files, b'"dispositions"'):
        if record.topic == "dispositions" and record.value is not None and share.has(record.key or b""):
            with suppress(DecodeError, UnicodeDecodeError):  # a worker would say why it is none
                yield record.timestamp, decode(record.value)


def records(files: list[str], format_: str, share: Share) -> Iterator[InputRecord]:
    """The customers' records, and those of topics that are for all; policies of the history are left out."""
    source = _of_mapping(files, format_) if format_ else _of_lines(files, share)
    for record in source:
        if record.topic in SHARED_TOPICS:
            # The history's own policies would judge instead of those that are asked about.
            if record.topic != "policies":
                yield record
        elif record.topic != "dispositions" and share.has(record.key or b""):
            yield record


def _of_lines(files: list[str], share: Share) -> Iterator[InputRecord]:
    reader, search = LineReader(), _CUSTOMER.search
    part, parts = share
    for name in files:
        with open_input(name) as source:
            for line in lines_of(source):
                # Others' lines are most of the work that two processes would do twice: they are not even parsed.
                found = search(line) if parts > 1 else None
                if found is not None and crc32(found[1]) % parts != part:
                    reader.lines += 1
                    continue
                read = reader.read(line)
                if isinstance(read, InputRecord):
                    yield read


def _of_topic(files: list[str], word: bytes, ids: Collection[bytes] | None = None) -> Iterator[InputRecord]:
    """The lines with a word; of transactions those with one of these ids, and those whose id has an escape in it."""
    reader = LineReader()
    for name in files:
        with open_input(name) as source:
            for line in _lines_with(word, source):
                found = _TRANSACTION.search(line) if ids is not None else None
                if found is not None and ids is not None and found[1] not in ids:
                    continue
                read = reader.read(line)
                if isinstance(read, InputRecord):
                    yield read


def _lines_with(word: bytes, source: Input) -> Iterator[bytes]:
    """The lines that hold a word; where there is none for long, that costs next to nothing."""
    while block := source.stream.read(_BLOCK_BYTES):
        block += source.stream.readline()
        if word in block:
            yield from (line for line in block.split(b"\n") if word in line)


def _of_mapping(files: list[str], format_: str) -> Iterator[InputRecord]:
    for name in files:
        with open_input(name) as source:
            yield from csv_records(source, name, format_, _LABEL_DELAY_MS)
