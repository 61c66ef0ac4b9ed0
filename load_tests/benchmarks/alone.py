"""Benchmarks in this process: no broker."""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from agents.compiled import is_compiled
from agents.exit_codes import Exit
from load_tests import performance_page
from load_tests.backtest import backtest
from load_tests.benchmarks.told import AsJson, Seed, tell
from load_tests.busy import busy
from load_tests.cards import write as write_cards
from load_tests.judge import judge_apart
from load_tests.model import forests
from load_tests.model_judged import judged
from load_tests.reviews import reviews
from load_tests.shifted import LAYOUTS, shifted
from load_tests.state import state
from load_tests.unit import unit

app = typer.Typer()


@app.command("judge")
def judge_command(
    *,
    transactions: int = 200_000,
    seed: Seed = 1,
    repeats: Annotated[int, typer.Option(min=1, help="Runs; the fastest counts.")] = 3,
    pure: Annotated[bool, typer.Option("--pure", help="In pure Python, also where the pipeline is compiled.")] = False,
    both: Annotated[bool, typer.Option("--both", help="Compiled and in pure Python, in turn.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write both figures into docs/performance.md.")] = False,
    json: AsJson = False,
) -> None:
    """The pipeline alone: transactions a second on one core, with the whole default policy."""
    kinds = ["pure"] if pure else ["compiled"]
    if both or write:
        kinds = ["compiled", "pure"]
    measured = judge_apart(kinds, transactions, seed, repeats)
    if write:
        performance_page.write(measured)
    first = measured.pop(kinds[0])
    tell("judge", {**first, **measured}, json=json)


@app.command("unit")
def unit_command(
    *,
    transactions: int = 80_000,
    seed: Seed = 1,
    write: Annotated[bool, typer.Option("--write", help="Write the stages into docs/performance.md.")] = False,
    json: AsJson = False,
) -> None:
    """A worker's unit of work without the network: CPU microseconds a transaction of each stage."""
    measured = unit(transactions, seed)
    if write:
        performance_page.write_stages(measured)
    tell("unit", measured, json=json)


@app.command("backtest")
def backtest_command(
    *,
    transactions: int = 200_000,
    seed: Seed = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many share the customers.")] = 2,
    json: AsJson = False,
) -> None:
    """`tierwatch backtest` of a month: transactions a second under one policy, and under two."""
    tell("backtest", backtest(transactions, seed, processes), json=json)


@app.command("shifted")
def shifted_command(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A labelled file, gzipped.")],
    target: Annotated[Path, typer.Argument(metavar="COPY", help="Where the copy is written, gzipped.")],
    *,
    layout: Annotated[str, typer.Option("--format", help=f"One of {', '.join(LAYOUTS)}.")],
    factor: Annotated[float, typer.Option(min=0.01, help="How many times as large amounts become.")] = 1.7,
    seed: Seed = 1,
    json: AsJson = False,
) -> None:
    """A copy with other names and amounts, ties told otherwise: `tierwatch evaluate` must find as much in it."""
    tell("shifted", {"rows": shifted(source, target, layout, factor, seed)}, json=json)


@app.command("cards")
def cards_command(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where they are written, CSV, gzipped.")],
    *,
    cards: Annotated[int, typer.Option(min=1, help="Cards; each pays some 350 times.")] = 1_500,
    seed: Seed = 1,
    json: AsJson = False,
) -> None:
    """Half a year of labelled payments in the Handbook's format, with constants of their own for each seed."""
    tell("cards", write_cards(target, cards, seed), json=json)


@app.command("model")
def model_command(
    *,
    seed: Seed = 1,
    repeats: Annotated[int, typer.Option(min=1, help="The fastest counts.")] = 20,
    json: AsJson = False,
) -> None:
    """The learned score at full batches: CPU microseconds a payment of our trees, and of LightGBM's."""
    tell("model", forests(seed, repeats), json=json)


@app.command("model-judged")
def model_judged_command(
    *,
    transactions: int = 60_000,
    seed: Seed = 1,
    repeats: Annotated[int, typer.Option(min=1, help="The fastest counts.")] = 3,
    json: AsJson = False,
) -> None:
    """Judging without a model, with one in shadow and with one live: CPU microseconds a payment, gathering included."""
    tell("model-judged", {"compiled": is_compiled(), **judged(transactions, seed, repeats)}, json=json)


@app.command("busy")
def busy_command(*, transactions: int = 100_000, seed: Seed = 1, json: AsJson = False) -> None:
    """One customer with so many transactions a day, shuffled: the cost against one with a thousand."""
    tell("busy", busy(transactions, seed), json=json)


@app.command("reviews")
def reviews_command(*, customers: int = 1_000_000, json: AsJson = False) -> None:
    """Finding who is due for review among so many customers, and making the index anew after a restart."""
    tell("reviews", reviews(customers), json=json)


@app.command("state")
def state_command(
    file: Annotated[
        Path, typer.Argument(help="Lines of `tierwatch ingest --to -`, plain or gzipped; - is standard input.")
    ],
    *,
    json: AsJson = False,
) -> None:
    """The size of customers' states after a data set."""
    try:
        measured = state(_lines(file))
    except (OSError, ValueError) as error:
        typer.echo(
            f"{file}: {error}\nMake one: tierwatch ingest --format sparkov FILE --no-dispositions --to -", err=True
        )
        raise typer.Exit(Exit.BAD_INPUT) from None
    tell("state", measured, json=json)


def _lines(file: Path) -> Iterator[bytes]:
    if str(file) == "-":
        yield from sys.stdin.buffer
        return
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        yield from lines
