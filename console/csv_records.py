"""A CSV opened as `tierwatch ingest` opens it, and its records for commands that need every row of it."""

from collections.abc import Iterator

from agents.exit_codes import Exit
from console.cells import Row, hasher
from console.csv_file import open_rows
from console.environment import settings
from console.errors import CommandError
from console.inputs import Input
from console.mapping import Mapping, read_mapping
from console.rows import Counts, Rows
from pipeline.record import InputRecord

# Whoever knows it can try out card numbers until a hash fits: good enough for public data only.
_DEMO_KEY = "tierwatch demo key"


def open_csv(
    source: Input, name: str, mapping: Mapping, label_delay_ms: int | None
) -> tuple[Rows, Iterator[tuple[int, Row | str]]]:
    """What makes records of rows, and the rows; None for no labels.

    Raises:
        CommandError: the file has not the mapping's columns, or the environment cannot be used.

    """
    columns, parted = open_rows(source, name, mapping)
    return Rows(mapping, columns, hasher(settings().hash_key or _DEMO_KEY), label_delay_ms), parted


def csv_records(source: Input, name: str, format_: str, label_delay_ms: int | None) -> Iterator[InputRecord]:
    """The records of a whole file, in the order of their times; None for no labels.

    Raises:
        CommandError: as `open_csv`, or a row cannot be read.

    """
    rows, parted = open_csv(source, name, read_mapping(format_), label_delay_ms)
    for number, record in enumerate(rows.records(parted)):
        yield InputRecord(record.topic, 0, number, record.at_ms, record.key, record.value)
    check_whole(name, rows.counts)


def check_whole(name: str, counts: Counts) -> None:
    """Fail where a row was refused.

    Raises:
        CommandError: with the line and the fault of the first.

    """
    if counts.refused:
        first = counts.refused[0]
        raise CommandError(
            f"{name}:{first.line}: {first.message}; {counts.refused_rows} rows in all cannot be read",
            "`tierwatch ingest --to -` names them.",
            Exit.BAD_INPUT,
        )
