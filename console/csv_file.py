"""A CSV with a header, as rows with the line each begins on."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import TYPE_CHECKING

from console.cells import Columns, Row
from console.errors import CommandError
from console.inputs import Input
from console.mapping import Mapping, columns_of

if TYPE_CHECKING:
    from _csv import Reader


def open_rows(source: Input, name: str, mapping: Mapping) -> tuple[Columns, Iterator[tuple[int, Row | str]]]:
    """Where each column stands, and the rows: a row that cannot be parted into cells comes as what is wrong with it.

    Raises:
        CommandError: the file has no header, or not the columns that the mapping names.

    """
    # Bytes that are not UTF-8 spoil their own row only; a byte order mark belongs to no column's name.
    text = TextIOWrapper(source.stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=mapping.delimiter)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise CommandError(f"{name}: the header cannot be read: {error}", "Is it a CSV?") from error
    wanted = sorted(columns_of(mapping))
    lacking = [column for column in wanted if header.count(column) != 1]
    if lacking:
        raise CommandError(
            f"{name} has no column {', '.join(lacking)}, or has it twice",
            f"Its columns are: {', '.join(header)[:500] or 'none'}. Is --format right, and the delimiter really "
            f"{mapping.delimiter!r}?",
        )
    return {column: index for index, column in enumerate(header)}, _rows(text, reader)


def _rows(text: TextIOWrapper, reader: "Reader") -> Iterator[tuple[int, Row | str]]:
    try:
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, str(error)
                continue
            if row:  # a blank line is no row
                yield line, row
    finally:
        text.detach()  # or it would close the file, which is not its own, when it is forgotten
