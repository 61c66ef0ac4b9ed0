"""`tierwatch lists`: whom to deny and whom to watch, until when, and who said so."""

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.terminal import counted
from schemas.timestamps import format_ms, parse_ms

if TYPE_CHECKING:
    from schemas.list_entry import ListEntry

app = typer.Typer(no_args_is_help=True, help="Deny and watch lists: add, remove, show, history.")


class ListWord(StrEnum):
    """Which of the lists."""

    DENY = "deny"
    WATCH = "watch"


class KindWord(StrEnum):
    """What can be listed."""

    PAYEE = "payee"
    DEVICE = "device"
    MERCHANT = "merchant"
    ADDRESS = "address"


Which = Annotated[ListWord, typer.Argument(metavar="LIST", help="deny or watch.")]
Kind = Annotated[KindWord, typer.Argument(metavar="KIND", help="payee, device, merchant or address.")]
Value = Annotated[str, typer.Argument(metavar="VALUE", help="Its id; of an address a range: 203.0.113.0/24.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in words.")]
Actor = Annotated[str, typer.Option("--actor", help="Who says so: it stands on the topic and in the audit.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="When it ends by itself, RFC 3339.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


@app.callback()
def lists() -> None:
    """Payees, devices, merchants and address ranges that are denied or watched, at once at every worker."""


@app.command("add")
def add(which: Which, kind: Kind, value: Value, *, reason: Reason, actor: Actor, until: Until = "") -> None:
    """Put something on a list; said again, reason and end are replaced."""
    end = _time(until) if until else None
    _say(which, kind, value, reason, actor, until=end)
    ends = f" until {end}" if end else "; it has no end: `--until` gives it one"
    typer.echo(f"{kind} {value} is on the {which} list{ends}")


@app.command("remove")
def remove(which: Which, kind: Kind, value: Value, *, reason: Reason, actor: Actor) -> None:
    """Take something from a list."""
    from agents.lists import told
    from console.environment import settings

    if f"{which}/{kind}/{value}" not in [held.entry.key for held in told(settings()).holds]:
        hint = "`tierwatch lists show` has what is on them."
        raise CommandError(f"{kind} {value} is not on the {which} list", hint, Exit.BAD_INPUT)
    _say(which, kind, value, reason, actor, removed=True)
    typer.echo(f"{kind} {value} is no longer on the {which} list")


@app.command("show")
def show(json: AsJson = False) -> None:
    """Show what is listed now, until when, by whom and why."""
    from msgspec.json import encode

    from agents.lists import told
    from console.environment import settings

    holds = [held.entry for held in told(settings()).holds]
    for entry in holds:
        typer.echo(encode(entry) if json else _line(entry))
    if not json:
        typer.echo(counted(len(holds), "listing"))


@app.command("history")
def history(json: AsJson = False) -> None:
    """Show all that was ever said, the newest last."""
    from msgspec.json import encode

    from agents.lists import told
    from console.environment import settings

    said = told(settings()).history
    for entry in said:
        typer.echo(encode(entry) if json else f"{entry.at}  {'removed' if entry.removed else 'added'}  {_line(entry)}")
    if not json:
        typer.echo(counted(len(said), "record"))


def _say(which: str, kind: str, value: str, reason: str, actor: str, **more: object) -> None:
    from msgspec.json import encode

    from agents.lists import say
    from console.environment import settings
    from schemas.codec import Undecodable, decode_list_entry

    fields = {"list": which, "kind": kind, "value": value, "reason": reason, "actor": actor, **more}
    try:
        entry = decode_list_entry(encode({**fields, "at": format_ms(int(time.time() * 1000))})).message
        say(settings(), entry)
    except (Undecodable, ValueError) as error:
        raise CommandError(
            str(error), "`tierwatch lists add --help` says what can be listed.", Exit.BAD_INPUT
        ) from None


def _time(text: str) -> str:
    try:
        return format_ms(parse_ms(text))
    except ValueError:
        hint = "Write it like 2026-12-31T00:00:00Z."
        raise CommandError(f"--until: {text!r} is no RFC 3339 time", hint, Exit.BAD_INPUT) from None


def _line(entry: "ListEntry") -> str:
    end = f"until {entry.until}" if entry.until else "without an end"
    return f"{entry.list}  {entry.kind}  {entry.value}  {end}  {entry.actor}: {entry.reason}"
