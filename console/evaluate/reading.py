"""A labelled CSV as payments: read as `ingest` reads it, in the order of its rows."""

from collections.abc import Iterator
from sys import intern
from typing import NamedTuple

from console.errors import CommandError
from pipeline.behaviour.payment import Payment, payment_of
from schemas.codec import decode_transaction

_METER_EVERY = 2_000


class Row(NamedTuple):
    """What a row says: its sender's payment, whether that was fraud, and what its receiver got, who is not scored."""

    payment: Payment
    fraud: bool | None
    received: tuple[Payment, ...]


def read_rows(file: str, format_: str) -> Iterator[Row]:
    """The rows of a file; a label that is neither fraud nor genuine is None.

    Raises:
        CommandError: the file cannot be opened or has not the mapping's columns, or a row of it cannot be read.

    """
    from console.csv_records import check_whole, open_csv
    from console.inputs import open_input
    from console.mapping import read_mapping
    from console.terminal import bytes_read

    mapping = read_mapping(format_)
    if mapping.label is None:
        raise CommandError(f"the format {format_} has no label", "Add `[label]` to the mapping: docs/ingest.md.")
    frauds = {"fraud": True, "genuine": False}
    with open_input(file) as source, bytes_read(file, source.size) as meter:
        rows, parted = open_csv(source, file, mapping, 0)
        for number, (values, label) in enumerate(rows.labelled(parted)):
            first, *others = [_shared(payment_of(decode_transaction(value)[0])) for value in values]
            yield Row(first, frauds.get(label or ""), tuple(others))
            if number % _METER_EVERY == 0:
                meter(source.position())
    check_whole(file, rows.counts)


def _shared(payment: Payment) -> Payment:
    """Millions of payments name a few thousand accounts, categories and places: keep each text once."""
    return payment._replace(
        account=intern(payment.account), category=intern(payment.category), place=intern(payment.place)
    )
