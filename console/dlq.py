"""`tierwatch dlq`: look at what could not be decided, send it again when its cause is gone, or put it aside."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.terminal import counted, shown
from console.working import Why, person
from schemas.timestamps import format_ms, parse_ms

if TYPE_CHECKING:
    from agents.dead_letters import Action, Letter

_SHOWN = 50

app = typer.Typer(no_args_is_help=True, help="Dead letters: list, show, replay, discard.")

Places = Annotated[list[str] | None, typer.Argument(metavar="[PLACES]", help="As PARTITION/OFFSET; or say which.")]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Of this reason; may be said again.")]
Topic = Annotated[str, typer.Option("--topic", help="That came from this topic.")]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="Dead since then, RFC 3339.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Dead before then, RFC 3339.")]
Everything = Annotated[bool, typer.Option("--all", help="Also those that were replayed or discarded.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Actor = Annotated[str, typer.Option(help="Who does it: it stands on the topic dead-letter-actions.", callback=person)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.callback()
def dlq() -> None:
    """Dead letters: records that could not be decided, each with its reason and its own bytes."""


@app.command("list")
def list_(
    reason: Reasons = None,
    topic: Topic = "",
    since: Since = "",
    until: Until = "",
    everything: Everything = False,
    json: AsJson = False,
) -> None:
    """List dead letters, oldest first: place, when it died, where it came from, why, and what was done about it."""
    from agents.dead_letters import letters
    from console.environment import settings

    found = letters(settings(), _filter((), reason, topic, since, until, everything))
    for letter in found if json else found[-_SHOWN:]:
        typer.echo(_as_json(letter) if json else _line(letter))
    if not json:
        more = f"; the newest {_SHOWN} are shown, --json shows all" if len(found) > _SHOWN else ""
        typer.echo(f"{counted(len(found), 'dead letter')}{more}")


@app.command("show")
def show(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="As PARTITION/OFFSET.")], json: AsJson = False
) -> None:
    """Show one dead letter: its headers, its bytes as they came (card numbers masked), and what can be done."""
    from agents.dead_letters import letters
    from console.environment import settings

    found = letters(settings(), _filter((place,), None, "", "", "", everything=True))
    if not found:
        raise CommandError(f"there is no dead letter at {place}", "`tierwatch dlq list --all` shows their places.")
    letter = found[0]
    if json:
        typer.echo(_as_json(letter, whole=True))
        return
    typer.echo(_line(letter))
    typer.echo(f"  detail: {letter.said.detail}")
    typer.echo(f"  meaning: {letter.said.reason.meaning}")
    typer.echo(f"  first arrival: {format_ms(letter.said.first_arrival_ms)}")
    for name, value in letter.said.original_headers:
        typer.echo(f"  header {shown(name)}: {shown(value)}")
    typer.echo(f"  key: {shown(letter.key or b'')}")
    typer.echo(f"  value: {shown(letter.value or b'')}")
    way = f"no: {letter.obstacle}" if letter.obstacle else f"tierwatch dlq replay {letter.name} --actor … --why …"
    typer.echo(f"  replay: {way}")


def _command(name: str, action: "Action", does: str) -> None:
    """Register a command that does something with chosen letters: all of them are asked the same."""

    @app.command(name, help=does)
    def command(
        places: Places = None,
        reason: Reasons = None,
        topic: Topic = "",
        since: Since = "",
        until: Until = "",
        *,
        actor: Actor,
        why: Why,
        dry_run: DryRun = False,
    ) -> None:
        chosen = _chosen(places, reason, topic, since, until)
        if action == "replayed":
            for letter in chosen:
                if letter.obstacle:
                    typer.echo(f"{letter.name} is left: {letter.obstacle}")
            chosen = [letter for letter in chosen if not letter.obstacle]
        _do(chosen, action, actor, why, dry_run=dry_run)


_command(
    "replay",
    "replayed",
    """Send dead letters to the topic they came from, with their own bytes, key and headers; each once, ever.

    Only those whose cause can go away while the bytes stay as they are; others are named and left. What is sent again
    is judged as of its own time, by its new arrival: within the policy's lateness, or it dies again as `too_late`.
    """,
)
_command(
    "discard",
    "discarded",
    "Say that dead letters need nothing more: they stay on the topic, and are listed with --all only.",
)


def _chosen(places: list[str] | None, reasons: list[str] | None, topic: str, since: str, until: str) -> "list[Letter]":
    from agents.dead_letters import letters
    from console.environment import settings

    if bool(places) == bool(reasons or topic or since or until):
        said = "places and criteria are named" if places else "nothing is named"
        raise CommandError(said, "Name places, or --reason, --topic, --since and --until, not both.", Exit.SETTINGS)
    found = letters(settings(), _filter(places or (), reasons, topic, since, until, everything=bool(places)))
    missing = set(places or ()) - {letter.name for letter in found}
    if missing:
        told = f"there is no dead letter at {', '.join(sorted(missing))}"
        raise CommandError(told, "`tierwatch dlq list --all` shows their places.")
    return found


def _do(chosen: "list[Letter]", action: "Action", actor: str, why: str, *, dry_run: bool) -> None:
    from agents.dead_letters import Handling
    from console.environment import settings

    if dry_run:
        for letter in chosen[:_SHOWN]:
            typer.echo(_line(letter))
        typer.echo(f"{counted(len(chosen), 'dead letter')} would be {action}; nothing was done.")
        return
    open_ones = [letter for letter in chosen if letter.done is None]
    done = sum(1 for _ in Handling(settings(), actor, why).handle(open_ones, action)) if open_ones else 0
    already = len(chosen) - done
    typer.echo(f"{counted(done, 'dead letter')} {action}{f', {already:,} were done with already' if already else ''}.")


def _filter(
    places: "list[str] | tuple[str, ...]",
    reasons: list[str] | None,
    topic: str,
    since: str,
    until: str,
    everything: bool = False,
) -> "Callable[[Letter], bool]":
    from schemas.reasons import DeadLetterReason

    unknown = set(reasons or ()) - set(DeadLetterReason)
    if unknown:
        known = ", ".join(DeadLetterReason)
        raise CommandError(f"no such reason: {', '.join(sorted(unknown))}", f"These are: {known}.", Exit.SETTINGS)
    since_ms, until_ms = _moment("--since", since), _moment("--until", until)

    def wanted(letter: "Letter") -> bool:
        return (
            (not places or letter.name in places)
            and (not reasons or letter.said.reason in reasons)
            and (not topic or letter.said.topic == topic)
            and (since_ms is None or letter.at_ms >= since_ms)
            and (until_ms is None or letter.at_ms < until_ms)
            and (everything or letter.done is None)
        )

    return wanted


def _moment(option: str, text: str) -> int | None:
    try:
        return parse_ms(text) if text else None
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{option}: {error}", "Write it like 2026-11-22T10:00:00Z.", Exit.SETTINGS) from None


def _line(letter: "Letter") -> str:
    said = letter.said
    done = f"  {letter.done.action} by {shown(letter.done.actor)}: {shown(letter.done.why)}" if letter.done else ""
    source = f"{said.topic}[{said.partition}]@{said.offset}"
    return f"{letter.name}  {format_ms(letter.at_ms)}  {said.reason.value}  {source}{done}"


def _as_json(letter: "Letter", *, whole: bool = False) -> bytes:
    from msgspec.json import encode

    said = letter.said
    told: dict[str, object] = {
        "place": letter.name,
        "at": format_ms(letter.at_ms),
        "reason": said.reason.value,
        "detail": said.detail,
        "topic": said.topic,
        "partition": said.partition,
        "offset": said.offset,
        "first_arrival": format_ms(said.first_arrival_ms),
        "replayable": not letter.obstacle,
        "obstacle": letter.obstacle,
        "done": letter.done,
    }
    if whole:
        told |= {
            "key": (letter.key or b"").decode("utf-8", "replace"),
            "value": (letter.value or b"").decode("utf-8", "replace"),
            "masked": said.masked,
            "original_headers": {name: value.decode("utf-8", "replace") for name, value in said.original_headers},
        }
    return encode(told)
