"""`tierwatch verify`: what stands on Kafka's topics, against what the journal makes when it is run again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError

if TYPE_CHECKING:
    from agents.verify.report import Report

_SHOWN = 20


def command(
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", help="Stop at what arrived then (RFC 3339); the state is then not compared."
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="The house's first policy. [default: TIERWATCH_POLICY]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run the journal again offline, and compare decisions, alerts, everything else published, and the state.

    Reads topics and writes nothing; workers may go on meanwhile. Byte for byte: whatever a worker published or
    remembers must be what the inputs make when they are taken in the journal's order. Exit code 6 names differences, 8
    what retention has taken.
    """
    import asyncio

    from msgspec.json import encode

    from agents.verify.verify import verify
    from console.environment import settings
    from console.policies import read_policy

    environment = settings()
    first = read_policy(policy or environment.policy)
    until_ms = _moment(until)
    with _bar() as progress:
        report = asyncio.run(verify(environment, first, until_ms, progress))
    if json:
        typer.echo(encode(report))
    else:
        _tell(report)
    if report.differences:
        raise typer.Exit(Exit.MISMATCH)


def _moment(text: str | None) -> int | None:
    from schemas.timestamps import parse_ms

    try:
        return None if text is None else parse_ms(text)
    except ValueError as error:
        raise CommandError(
            f"--until is no time: {error}", "Write it like 2026-11-22T10:00:00Z.", Exit.SETTINGS
        ) from error


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A bar of journal records on standard error; silent where that is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from console.terminal import stderr

    console = stderr()
    columns = (TextColumn("verify: units of work"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("verify")
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _tell(report: "Report") -> None:
    for difference in report.examples[:_SHOWN]:
        at = "nowhere" if difference.offset is None else difference.offset
        key = f" key {difference.key}" if difference.key else ""
        typer.echo(f"{difference.kind}: {difference.topic}[{difference.partition}] at {at}{key}: {difference.detail}")
    count = report.differences.total()
    if count > _SHOWN:
        typer.echo(f"… and {count - _SHOWN:,} more (--json shows up to 100)")
    messages = ", ".join(f"{agreed:,} {topic}" for topic, agreed in report.messages.items() if agreed)
    states = ", ".join(f"{compared:,} {table}" for table, compared in report.states.items()) or "not compared"
    typer.echo(f"{report.partitions} partitions, {report.units:,} units of work, {report.records:,} records run again")
    typer.echo(f"the same: {messages or 'nothing was published'}; states: {states}")
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in report.differences.items())
    typer.echo(f"differences: {kinds}" if kinds else "no differences")
