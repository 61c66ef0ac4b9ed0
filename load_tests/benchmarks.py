"""The benchmarks and what they print. `make bench NAME=judge`."""

import gzip
import json as json_text
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from agents.compiled import is_compiled
from agents.exit_codes import Exit
from agents.garbage import collect_seldom
from load_tests import measured_page, performance_page
from load_tests.backtest import backtest
from load_tests.boards.run import pictures
from load_tests.busy import busy
from load_tests.chaos import page
from load_tests.chaos.run import Plan, chaos
from load_tests.hot_customer import hot_customer
from load_tests.incidents import page as incidents_page
from load_tests.incidents.run import incidents
from load_tests.judge import judge_apart
from load_tests.latency import latency
from load_tests.model import forests
from load_tests.paging import paging
from load_tests.priority import priority
from load_tests.recovery import recovery
from load_tests.reviews import reviews
from load_tests.scale import scale
from load_tests.shifted import LAYOUTS, shifted
from load_tests.soak import soak
from load_tests.state import state
from load_tests.throughput import PEERS, throughput
from load_tests.unit import unit

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Benchmarks: numbers to read, nothing fails."
)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, on the last line.")]
Write = Annotated[bool, typer.Option("--write", help="Write what was measured into docs/measured.md.")]
Seed = Annotated[int, typer.Option(help="The same seed is the same traffic.")]

# Places in docs/measured.md, by the names of benchmarks; a second rate of latency has a place of its own.
MEASURED = {"throughput", "latency", "latency_20000", "recovery", "scale", "hot_customer", "priority", "paging", "soak"}
_USUAL_RATE = 5_000


@app.callback(invoke_without_command=True)
def list_benchmarks(ctx: typer.Context) -> None:
    """Without a name, the list is what was asked for."""
    collect_seldom()  # as a worker does
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


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
    _tell("judge", {**first, **measured}, json=json)


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
    _tell("unit", measured, json=json)


@app.command("backtest")
def backtest_command(
    *,
    transactions: int = 200_000,
    seed: Seed = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many share the customers.")] = 2,
    json: AsJson = False,
) -> None:
    """`tierwatch backtest` of a month: transactions a second under one policy, and under two."""
    _tell("backtest", backtest(transactions, seed, processes), json=json)


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
    _tell("shifted", {"rows": shifted(source, target, layout, factor, seed)}, json=json)


@app.command("model")
def model_command(
    *,
    seed: Seed = 1,
    repeats: Annotated[int, typer.Option(min=1, help="The fastest counts.")] = 20,
    json: AsJson = False,
) -> None:
    """The learned score at full batches: CPU microseconds a payment of our trees, and of LightGBM's."""
    _tell("model", forests(seed, repeats), json=json)


@app.command("busy")
def busy_command(*, transactions: int = 100_000, seed: Seed = 1, json: AsJson = False) -> None:
    """One customer with so many transactions a day, shuffled: the cost against one with a thousand."""
    _tell("busy", busy(transactions, seed), json=json)


@app.command("throughput")
def throughput_command(
    *,
    transactions: int = 300_000,
    repeats: int = 3,
    peers: Annotated[str, typer.Option(help="Engines to compare with, commas between; empty: none.")] = ",".join(PEERS),
    seed: Seed = 1,
    write: Write = False,
    json: AsJson = False,
) -> None:
    """Whole workers on a real Kafka: transactions a second, and what one costs, beside other engines."""
    names = [name for name in peers.split(",") if name]
    _tell(
        "throughput", throughput(transactions, seed, repeats, names), json=json, place="throughput" if write else None
    )


@app.command("chaos")
def chaos_command(
    *,
    transactions: int = 300_000,
    seed: Seed = 1,
    rate: Annotated[int, typer.Option(help="Records published a second.")] = 5_000,
    history: Annotated[
        bool, typer.Option("--history", help="Transactions only, with their own times: compared with a calm run, too.")
    ] = False,
    faults: Annotated[str, typer.Option(help="Kinds of faults, commas between; empty: all.")] = "",
    keep: Annotated[Path | None, typer.Option(help="Folder for logs and topics of a run that went wrong.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the verdict into docs/chaos.md.")] = False,
    json: AsJson = False,
) -> None:
    """Real workers on a real Kafka while both are killed, paused and restarted; 1 when anything is lost or repeated."""
    kinds = [name for name in faults.split(",") if name] or None
    verdict = chaos(Plan(transactions=transactions, seed=seed, rate=rate, history=history, kinds=kinds, keep=keep))
    if write:
        page.write(seed, verdict)
    _tell("chaos", verdict, json=json)
    wrong = ("lost", "repeated", "strange", "state_differences", "undisturbed_differences")
    if not verdict["settled"] or any(verdict[name] for name in wrong):
        raise typer.Exit(1)


@app.command("latency")
def latency_command(
    *,
    rate: Annotated[float, typer.Option(help="Transactions published a second, whatever happens.")] = _USUAL_RATE,
    seconds: float = 30,
    peers: Annotated[bool, typer.Option(help="Kafka Streams beside it.")] = True,
    write: Write = False,
    json: AsJson = False,
) -> None:
    """From the moment a payment is due to its committed alert, at a steady rate."""
    place = "latency" if rate == _USUAL_RATE else f"latency_{rate:.0f}"
    _tell("latency", latency(rate, seconds, peers=peers), json=json, place=place if write else None)


@app.command("paging")
def paging_command(
    *,
    incidents: int = 300,
    rate: Annotated[float, typer.Option(help="Incidents a second, each of its own customer.")] = 5,
    campaign: Annotated[int, typer.Option(help="Breaches of one campaign, within a minute.")] = 10_000,
    write: Write = False,
    json: AsJson = False,
) -> None:
    """From a payment to the page about it, through Alertmanager; and one page for a whole campaign."""
    _tell("paging", paging(incidents, rate, campaign), json=json, place="paging" if write else None)


@app.command("incidents")
def incidents_command(
    *,
    faults: Annotated[str, typer.Option(help="Their names, commas between; empty: all ten.")] = "",
    write: Annotated[bool, typer.Option("--write", help="Write what was heard into docs/incidents.md.")] = False,
    json: AsJson = False,
) -> None:
    """Ten faults, one after the other: how soon somebody hears of each; 1 when one is heard too late."""
    told = incidents([name for name in faults.split(",") if name])
    if write:
        incidents_page.write(told)
    _tell("incidents", {each.fault: msgspec.to_builtins(each) for each in told}, json=json)
    if not all(each.good for each in told):
        raise typer.Exit(1)


@app.command("boards")
def boards_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the pictures go.")],
    *,
    minutes: Annotated[float, typer.Option(min=1, help="How long the house lives that they show.")] = 10,
    json: AsJson = False,
) -> None:
    """Grafana's boards as pictures, of a house in which things break; 1 where one cannot be drawn."""
    drawn = pictures(folder, minutes)
    _tell("boards", drawn, json=json)
    if any(each["wrong"] for each in drawn.values()):
        raise typer.Exit(1)


@app.command("recovery")
def recovery_command(
    *, customers: int = 200_000, trials: int = 20, seed: Seed = 1, write: Write = False, json: AsJson = False
) -> None:
    """A worker is killed: how soon its partitions decide again, with and without a standby."""
    _tell("recovery", recovery(customers, trials, seed), json=json, place="recovery" if write else None)


@app.command("scale")
def scale_command(*, transactions: int = 200_000, seed: Seed = 1, write: Write = False, json: AsJson = False) -> None:
    """One, two and three workers: the same decisions, and what one costs."""
    _tell("scale", scale(transactions, seed), json=json, place="scale" if write else None)


@app.command("hot_customer")
def hot_customer_command(
    *, transactions: int = 200_000, seed: Seed = 1, write: Write = False, json: AsJson = False
) -> None:
    """Half of all payments are one customer's: what one costs then."""
    _tell("hot_customer", hot_customer(transactions, seed), json=json, place="hot_customer" if write else None)


@app.command("priority")
def priority_command(*, seconds: float = 20, write: Write = False, json: AsJson = False) -> None:
    """Three times more than a worker can do: the priority lane's way to the decision, and the other lane's share."""
    _tell("priority", priority(seconds), json=json, place="priority" if write else None)


@app.command("soak")
def soak_command(
    *,
    rate: Annotated[float, typer.Option(help="Transactions published a second.")] = 5_000,
    minutes: float = 30,
    write: Write = False,
    json: AsJson = False,
) -> None:
    """A steady load for long: does a worker's memory grow?"""
    _tell("soak", soak(rate, minutes), json=json, place="soak" if write else None)


@app.command("reviews")
def reviews_command(*, customers: int = 1_000_000, json: AsJson = False) -> None:
    """Finding who is due for review among so many customers, and making the index anew after a restart."""
    _tell("reviews", reviews(customers), json=json)


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
    _tell("state", measured, json=json)


def _lines(file: Path) -> Iterator[bytes]:
    if str(file) == "-":
        yield from sys.stdin.buffer
        return
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        yield from lines


def _tell(name: str, measured: dict[str, Any], *, json: bool, place: str | None = None) -> None:
    """Print what was measured; `place` is where docs/measured.md takes it, None: nowhere."""
    measured = {"compiled": is_compiled(), **measured}
    if json:
        print(json_text.dumps({"benchmark": name, **measured}), flush=True)
    else:
        table = Table(title=name, title_justify="left", show_header=False)
        for what, value in measured.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            table.add_row(what.replace("_", " "), f"{value:,}" if number else str(value))
        Console().print(table)
    if place is not None:
        words = " ".join(word for word in sys.argv[1:] if word not in {"--json", "--write"})
        measured_page.write(place, f"python -m load_tests {words}", measured)
