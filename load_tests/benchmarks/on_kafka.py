"""Benchmarks of real workers, each with a Kafka of its own."""

from pathlib import Path
from typing import Annotated

import typer

from load_tests.benchmarks.told import AsJson, Seed, Write, tell
from load_tests.chaos import page
from load_tests.chaos.run import Plan, chaos
from load_tests.hot_customer import hot_customer
from load_tests.latency import latency
from load_tests.priority import priority
from load_tests.recovery import recovery
from load_tests.scale import scale
from load_tests.soak import soak
from load_tests.throughput import PEERS, throughput

app = typer.Typer()
_USUAL_RATE = 5_000


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
    tell("throughput", throughput(transactions, seed, repeats, names), json=json, place="throughput" if write else None)


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
    tell("latency", latency(rate, seconds, peers=peers), json=json, place=place if write else None)


@app.command("recovery")
def recovery_command(
    *, customers: int = 200_000, trials: int = 20, seed: Seed = 1, write: Write = False, json: AsJson = False
) -> None:
    """A worker is killed: how soon its partitions decide again, with and without a standby."""
    tell("recovery", recovery(customers, trials, seed), json=json, place="recovery" if write else None)


@app.command("scale")
def scale_command(*, transactions: int = 200_000, seed: Seed = 1, write: Write = False, json: AsJson = False) -> None:
    """One, two and three workers: the same decisions, and what one costs."""
    tell("scale", scale(transactions, seed), json=json, place="scale" if write else None)


@app.command("hot_customer")
def hot_customer_command(
    *, transactions: int = 200_000, seed: Seed = 1, write: Write = False, json: AsJson = False
) -> None:
    """Half of all payments are one customer's: what one costs then."""
    tell("hot_customer", hot_customer(transactions, seed), json=json, place="hot_customer" if write else None)


@app.command("priority")
def priority_command(*, seconds: float = 20, write: Write = False, json: AsJson = False) -> None:
    """Three times more than a worker can do: the priority lane's way to the decision, and the other lane's share."""
    tell("priority", priority(seconds), json=json, place="priority" if write else None)


@app.command("soak")
def soak_command(
    *,
    rate: Annotated[float, typer.Option(help="Transactions published a second.")] = 5_000,
    minutes: float = 30,
    write: Write = False,
    json: AsJson = False,
) -> None:
    """A steady load for long: does a worker's memory grow?"""
    tell("soak", soak(rate, minutes), json=json, place="soak" if write else None)


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
    tell("chaos", verdict, json=json)
    wrong = ("lost", "repeated", "strange", "state_differences", "undisturbed_differences")
    if not verdict["settled"] or any(verdict[name] for name in wrong):
        raise typer.Exit(1)
