"""`tierwatch topics`: Kafka's topics as tierwatch needs them."""

from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit

if TYPE_CHECKING:
    from agents.topics import Outcome

app = typer.Typer(no_args_is_help=True, help="Kafka's topics: make them, and see whether they fit.")


@app.callback()
def topics() -> None:
    """Kafka's topics: make them, and see whether they fit."""


@app.command("create")
def create(
    history: Annotated[
        bool, typer.Option("--history", help="For old records: each keeps its own time, and none is too old to keep.")
    ] = False,
    partitions: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Of topics by customer. [default: TIERWATCH_PARTITIONS]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make every topic that is missing, and compare those that are there; never changes one that is there."""
    from dataclasses import replace

    from msgspec.json import encode

    from agents.topics import create as create_topics
    from console.environment import settings

    environment = settings()
    outcomes = create_topics(
        replace(environment, partitions=partitions) if partitions else environment, history=history
    )
    if json:
        typer.echo(encode({"broker": environment.broker, "topics": outcomes}))
    else:
        for outcome in outcomes:
            _tell(outcome)
    if any(outcome.differences for outcome in outcomes):
        raise typer.Exit(Exit.TOPICS)


def _tell(outcome: "Outcome") -> None:
    typer.echo(f"{outcome.topic}: {outcome.result}")
    for difference in outcome.differences:
        typer.echo(f"  {difference.setting} is {difference.found or 'unset'}, should be {difference.wanted}")
        typer.echo(f"    {difference.command or 'Nothing changes that: delete the topic, or keep the number it has.'}")
