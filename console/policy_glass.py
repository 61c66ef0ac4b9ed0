"""`tierwatch policy break-glass | mend-glass | review-glass`: quieten the house for hours, and answer for it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.policy_house import House
from console.policy_life import AsJson, Reason
from console.signing_key import KeyFile
from schemas.timestamps import format_ms

if TYPE_CHECKING:
    from pipeline.policy.break_glass import Glass

Event = Annotated[str, typer.Argument(metavar="EVENT", help="Its event_id, as `tierwatch policy show` gives it.")]


class Finding(StrEnum):
    """What a second person says of it."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"


def break_glass(
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever reviews it.")],
    rule: Annotated[
        list[str] | None, typer.Option("--rule", metavar="RULE", help="Set this rule to shadow; may be given again.")
    ] = None,
    observe_only: Annotated[
        bool, typer.Option("--observe-only", help="Ask the core system for no action; alerts go on.")
    ] = False,
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="15m, 2h; 4h at most.")] = "1h",
    key: KeyFile = None,
    json: AsJson = False,
) -> None:
    """In an emergency, alone and for four hours at most: set rules to shadow, or withhold all account actions.

    It begins within seconds, ends by itself, and another approver reviews it afterwards; until then it stands in
    `tierwatch policy show` and an alert reminds of it.
    """
    span_ms = _duration(duration)
    with House() as house:
        until = format_ms(house.now_ms + span_ms)
        fields = {"rules": rule or [], "observe_only": observe_only, "until": until}
        house.say(key, "policy.glass_broken", fields, reason=reason, json=json)
        if not json:
            glass = house.book.glasses.all[-1]
            typer.echo(f"Broken: {glass.in_words()}.")
            typer.echo(f"To end it sooner: `tierwatch policy mend-glass {glass.event_id}`. {_asks(glass)}")


def mend_glass(event: Event, *, key: KeyFile = None, reason: Reason = "", json: AsJson = False) -> None:
    """End a broken glass before its time."""
    with House() as house:
        house.say(key, "policy.glass_mended", {"broken": event}, reason=reason, json=json)
        if not json:
            typer.echo("Mended: the policy is in force as it was approved.")


def review_glass(
    event: Event,
    *,
    finding: Annotated[Finding, typer.Option(help="What you think of it, having looked at what it let through.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for those who read the audit.")],
    key: KeyFile = None,
    json: AsJson = False,
) -> None:
    """Say afterwards, as a second person, whether a broken glass was justified."""
    with House() as house:
        fields = {"broken": event, "finding": finding.value}
        house.say(key, "policy.glass_reviewed", fields, reason=reason, json=json)
        if not json:
            typer.echo("Reviewed: nothing waits for it any more.")


def tell_glasses(house: House) -> None:
    """Print the glasses that last or wait for their review."""
    for glass in house.book.glasses.unreviewed():
        typer.echo(f"Glass broken by {glass.by}: {glass.in_words()}")
        typer.echo(f"  {_asks(glass)}")


def _asks(glass: "Glass") -> str:
    return f"Another approver, once it is over: `tierwatch policy review-glass {glass.event_id}`."


def _duration(text: str) -> int:
    from pipeline.policy.durations import Duration
    from pipeline.policy.nodes import Scalar
    from pipeline.policy.problems import Mark
    from pipeline.policy.reading import Reading
    from schemas.timestamps import MS_PER_DAY, MS_PER_SECOND

    shape = Duration(MS_PER_SECOND, MS_PER_DAY)
    try:
        return shape.parse(text, Reading(Scalar(text, plain=True, mark=Mark(1, 1)), 0))
    except ValueError:
        raise CommandError(f"--for {text} is no duration", "Write 15m or 2h.", Exit.SETTINGS) from None
