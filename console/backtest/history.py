"""History read for one of several processes: the records of its customers, and what is known of each transaction."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from zlib import crc32

from msgspec.json import Decoder

from console.csv_records import csv_records
from console.inputs import lines_of, open_input
from console.record_lines import LineReader
from pipeline.record import InputRecord
from schemas.disposition import Disposition
from schemas.topics import SHARED_TOPICS

# By source and id of the transaction: what it turned out to be, as far as that was said; the last word counts.
Labels = dict[tuple[str, str], bool]
VERDICTS: Final = {"fraud": True, "genuine": False}
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
    known: Labels = {}
    decode = Decoder(Disposition).decode
    for record in _of_mapping(files, format_) if format_ else _of_topic(files, b'"dispositions"'):
        if record.topic == "dispositions" and record.value is not None and share.has(record.key or b""):
            said = decode(record.value)
            if said.transaction_id and said.label in VERDICTS:
                known[said.source, said.transaction_id] = VERDICTS[said.label]
    return known


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
    reader = LineReader()
    for name in files:
        with open_input(name) as source:
            for line in lines_of(source):
                # Others' lines are most of the work that two processes would do twice: they are not even parsed.
                found = _CUSTOMER.search(line) if share.parts > 1 else None
                if found is not None and not share.has(found[1]):
                    reader.lines += 1
                    continue
                read = reader.read(line)
                if isinstance(read, InputRecord):
                    yield read


def _of_topic(files: list[str], word: bytes) -> Iterator[InputRecord]:
    reader = LineReader()
    for name in files:
        with open_input(name) as source:
            for line in lines_of(source):
                if word in line:
                    read = reader.read(line)
                    if isinstance(read, InputRecord):
                        yield read


def _of_mapping(files: list[str], format_: str) -> Iterator[InputRecord]:
    for name in files:
        with open_input(name) as source:
            yield from csv_records(source, name, format_, 0)
