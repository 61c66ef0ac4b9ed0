"""The benchmarks. `make bench NAME=judge`."""

import typer

from agents.garbage import collect_seldom
from load_tests.benchmarks import alone, on_call, on_kafka

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Benchmarks: numbers to read, nothing fails."
)
for group in (alone, on_kafka, on_call):
    app.add_typer(group.app)


@app.callback(invoke_without_command=True)
def list_benchmarks(ctx: typer.Context) -> None:
    """Without a name, the list is what was asked for."""
    collect_seldom()  # as a worker does
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
