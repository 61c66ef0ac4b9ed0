"""`tierwatch backtest`: the command line of it."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.errors import CommandError
from console.policies import read_policy

if TYPE_CHECKING:
    from console.backtest.report import Report

_MOST_LINES = 30


def command(
    files: Annotated[list[str], typer.Argument(metavar="FILES", help="History: JSON Lines as for `replay`, or CSVs.")],
    *,
    policy: Annotated[Path, typer.Option("--policy", metavar="NEW", help="The policy that is asked about, YAML.")],
    against: Annotated[Path | None, typer.Option(metavar="OLD", help="The policy to compare it with, YAML.")] = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME|FILE", help="The files are CSVs: handbook, paysim, … or a mapping.")
    ] = "",
    analysts: Annotated[int, typer.Option(min=1, help="How many people look at alerts each day.")] = 1,
    processes: Annotated[
        int, typer.Option(min=0, help="How many processes share the customers. [default: one a core]")
    ] = 0,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report there, one HTML page.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, on the last line.")] = False,
) -> None:
    """Replay history under a policy, and say what it would have asked for: beside another policy, and the labels.

    Per tier and rule: alerts gained and lost. Over all: precision and recall on labels (`dispositions` of the history,
    or the label of the CSVs), money caught and missed, alerts per analyst and day. The history's own policies are left
    out.
    """
    from msgspec.json import encode

    from console.backtest.html import page
    from console.backtest.report import report
    from console.backtest.run import run
    from console.inputs import STANDARD_INPUT, check_readable
    from console.terminal import counted

    policies = [read_policy(each) for each in (policy, against) if each is not None]
    if STANDARD_INPUT in files:
        raise CommandError("a backtest reads its history twice, and from several processes", "Name files, not `-`.")
    check_readable(files)
    began = time.monotonic()
    judged = run(files, format_, policies, processes or os.cpu_count() or 1)
    seconds = time.monotonic() - began
    if not judged.transactions:
        raise CommandError("no transaction in this history", "`tierwatch replay` says what is wrong with it.")
    told = report(judged, policies, analysts)
    if html is not None:
        html.write_text(page(told, files), encoding="utf-8")
        typer.echo(f"Written: {html}.", err=True)
    tell(told, to_stderr=json)
    per_second = round(judged.transactions / seconds)
    typer.echo(f"{counted(judged.transactions, 'transaction')} in {seconds:.1f} s, {per_second:,} a second", err=True)
    if json:
        typer.echo(encode({"report": told, "transactions_per_s": per_second}))


def tell(report: "Report", *, to_stderr: bool) -> None:
    """Print a report."""
    from console.backtest.html import figures, numbers

    """Print a report."""
    told = [figures(side, report.currency) for side in report.sides]
    typer.echo(f"{'':<28}" + "".join(f"{name:>20}" for name in ("new", "old")[: len(told)]), err=to_stderr)
    for name in told[0]:
        typer.echo(f"{name:<28}" + "".join(f"{each[name]:>20}" for each in told), err=to_stderr)
    heads = ("old", "new", "gained", "frauds", "lost", "frauds", "shadow")
    typer.echo(f"\n{'tier: rule':<44}" + "".join(f"{head:>9}" for head in heads), err=to_stderr)
    for line in report.lines[:_MOST_LINES]:
        cells = "".join(f"{number:>9,}" for number in numbers(line))
        typer.echo(f"{f'{line.tier}: {line.rule}':<44}{cells}", err=to_stderr)
    if len(report.lines) > _MOST_LINES:
        typer.echo(f"and {len(report.lines) - _MOST_LINES} more: --json or --html has all", err=to_stderr)
