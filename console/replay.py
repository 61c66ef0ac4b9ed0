"""`tierwatch replay`: the very same pipeline with no broker, from JSON Lines to JSON Lines. `docs/replay.md`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.errors import CommandError
from console.inputs import check_readable, lines_of, open_input
from console.policies import read_policy
from console.record_lines import Clock, LineReader, NotARecord, write_line
from console.terminal import Meter, bytes_read, counted, warn
from pipeline.policy.model import Policy
from pipeline.record import InputRecord, Message

if TYPE_CHECKING:
    from console.offline import Offline

# Outputs depend on neither: they bound what is held in memory.
BATCH_LINES = 2_000
BATCH_BYTES = 4 << 20


def command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES", help="JSON Lines, plain or gzipped; - is standard input.")
    ],
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="The policy in force at first; by default the one that ships with tierwatch.",
        ),
    ] = None,
) -> None:
    """Run records through detection without a broker, and write what it publishes.

    Reads lines such as {"topic": "transactions", "value": {…}} or {"clock": "2026-11-22T10:00:00Z"} and writes lines of
    the same form: decisions, alerts and everything else but the journal. The same input gives the same bytes.
    """
    first = read_policy(policy)
    check_readable(files)
    reader = LineReader()
    out = sys.stdout.buffer
    # On one terminal a bar and the lines would run through each other.
    with bytes_read("replay", _size_of(files), shown=not sys.stdout.isatty()) as meter:
        for message in replay(_lines(files, meter), first, reader):
            out.write(write_line(message))
    out.flush()
    if reader.lines_with_unknown_members:
        warn(
            f"{counted(reader.lines_with_unknown_members, 'line')} with members that mean nothing here; "
            "docs/replay.md lists those that do"
        )


def replay(
    lines: Iterable[bytes], policy: Policy, reader: LineReader | None = None, pipeline: "Offline | None" = None
) -> Iterator[Message]:
    """What the pipeline publishes for these lines (without their line feeds), in order.

    Every line has an outcome: bad lines are dead letters too. `reader` numbers the lines; by default they begin at 1.
    `pipeline` keeps what is remembered; by default it begins with nothing, and is forgotten.
    """
    from console.offline import SHARED_TOPICS, Offline

    pipeline = pipeline or Offline(policy)
    reader = reader or LineReader()
    batch: list[InputRecord] = []
    size = 0
    try:
        for line in lines:
            read = reader.read(line)
            if isinstance(read, InputRecord) and read.topic not in SHARED_TOPICS:
                batch.append(read)
                size += len(line)
                if len(batch) == BATCH_LINES or size >= BATCH_BYTES:
                    yield from pipeline.take(batch)
                    batch, size = [], 0
                continue
            # What is not a customer's record takes effect after the lines before it and before those that follow.
            yield from pipeline.take(batch)
            batch, size = [], 0
            if isinstance(read, Clock):
                yield from pipeline.tick(read.now_ms)
            elif isinstance(read, NotARecord):
                yield pipeline.refuse(read.record, read.detail)
            else:
                yield from pipeline.books.take(read)
    except CommandError:  # a file is damaged further on: what came before it has its outcome, too
        yield from pipeline.take(batch)
        raise
    yield from pipeline.take(batch)


def _lines(files: list[str], meter: Meter) -> Iterator[bytes]:
    done = 0
    for name in files:
        with open_input(name) as source:
            for number, line in enumerate(lines_of(source)):
                if number % BATCH_LINES == 0:
                    meter(done + source.position())
                yield line
            done += source.position()


def _size_of(files: list[str]) -> int | None:
    """Bytes of all files together; None where one is a pipe."""
    paths = [Path(name) for name in files]
    return sum(path.stat().st_size for path in paths) if all(path.is_file() for path in paths) else None
