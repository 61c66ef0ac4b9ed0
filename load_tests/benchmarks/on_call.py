"""Benchmarks of what whoever is on call hears and sees."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from load_tests.benchmarks.told import AsJson, Write, tell
from load_tests.boards.run import pictures
from load_tests.incidents import page
from load_tests.incidents.run import incidents
from load_tests.paging import paging

app = typer.Typer()


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
    tell("paging", paging(incidents, rate, campaign), json=json, place="paging" if write else None)


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
        page.write(told)
    tell("incidents", {each.fault: msgspec.to_builtins(each) for each in told}, json=json)
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
    tell("boards", drawn, json=json)
    if any(each["wrong"] for each in drawn.values()):
        raise typer.Exit(1)
