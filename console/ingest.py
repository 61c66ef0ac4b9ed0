"""`tierwatch ingest`: a CSV of any shape as transactions and labels, on Kafka or as lines. `docs/ingest.md`."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from schemas.timestamps import MS_PER_DAY

if TYPE_CHECKING:
    from console.rows import Counts

_METER_EVERY = 2_000


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A CSV with a header, plain or gzipped; - is standard input.")
    ],
    *,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME|FILE", help="handbook, paysim, sparkov, or a mapping file.")
    ],
    to: Annotated[
        str,
        typer.Option(
            metavar="-|HOST:PORT", help="- writes lines for replay; else a broker, by default TIERWATCH_BROKER."
        ),
    ] = "",
    label_delay_days: Annotated[
        float, typer.Option(min=0, max=3650, help="Days after its transaction at which a label is known.")
    ] = 7,
    dispositions: Annotated[bool, typer.Option(help="Publish labels as dispositions.")] = True,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Of all amounts; by default as the mapping says.")] = "",
    json: Annotated[
        bool, typer.Option("--json", help="Count in one JSON object; with --to - on standard error.")
    ] = False,
) -> None:
    """Turn a CSV into transactions, and its labels into dispositions at the time they would be known.

    On Kafka each record carries its own time, which needs topics made by `tierwatch topics create --history`.
    A row that cannot be read is named, left out and counted; the exit code is then 3.
    """
    from console.csv_records import open_csv
    from console.environment import settings
    from console.inputs import open_input
    from console.mapping import in_currency, read_mapping
    from console.sinks import Kafka, Lines
    from console.terminal import bytes_read, warn

    mapping = in_currency(read_mapping(format_), currency)
    environment = settings()
    if mapping.hashes and not environment.hash_key:
        warn("hashing with the demo key, which everybody knows; set TIERWATCH_HASH_KEY for data that is not public")
    to_lines = to == "-"
    delay_ms = round(label_delay_days * MS_PER_DAY) if dispositions else None
    began = time.monotonic()
    with (
        open_input(file) as source,
        # On one terminal a bar and the lines would run through each other.
        bytes_read(file, source.size, shown=not (to_lines and sys.stdout.isatty())) as meter,
    ):
        rows, parted = open_csv(source, file, mapping, delay_ms)
        sink = Lines() if to_lines else Kafka(environment, to)
        for number, record in enumerate(rows.records(parted)):
            sink.send(record)
            if number % _METER_EVERY == 0:
                meter(source.position())
        sink.finish()
    _report(file, rows.counts, time.monotonic() - began, json=json, to_stderr=to_lines)
    if rows.counts.refused_rows:
        raise typer.Exit(Exit.BAD_INPUT)


def _report(file: str, counts: "Counts", seconds: float, *, json: bool, to_stderr: bool) -> None:
    from msgspec.json import encode

    from console.terminal import counted

    for refused in counts.refused:
        typer.echo(f"{file}:{refused.line}: {refused.message}", err=True)
    if counts.refused_rows > len(counts.refused):
        typer.echo(f"{file}: … and {counted(counts.refused_rows - len(counts.refused), 'row')} more", err=True)
    if json:
        said = {"rows": counts.rows, "transactions": counts.transactions, "dispositions": counts.dispositions}
        typer.echo(encode(said | {"refused_rows": counts.refused_rows, "seconds": round(seconds, 3)}), err=to_stderr)
    else:
        made = f"{counted(counts.transactions, 'transaction')} and {counted(counts.dispositions, 'disposition')}"
        left_out = f"; {counted(counts.refused_rows, 'row')} cannot be read" if counts.refused_rows else ""
        typer.echo(f"{file}: {counted(counts.rows, 'row')}, {made} in {seconds:.1f} s{left_out}", err=True)
