"""What commands about alerts and cases share: who does it, for how long, and what it turned out to be."""

import time
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from schemas.timestamps import format_ms

_LONGEST_NAME = 128


def person(name: str) -> str:
    """Let a name through that records can hold: what follows from one that they cannot would become a dead letter.

    Raises:
        CommandError: nobody is called that.

    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        hint = f"Say who it is in 1 to {_LONGEST_NAME} printable characters."
        raise CommandError(f"{name!r} is nobody's name", hint, Exit.SETTINGS)
    return name


def words(text: str) -> str:
    """Let a reason through that records can hold.

    Raises:
        CommandError: it came as bytes that are no UTF-8.

    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CommandError(f"{text!r} cannot be read", "Write it in UTF-8.", Exit.SETTINGS) from None
    return text


Actor = Annotated[str, typer.Option(help="Who does it: it stands on the topic.", callback=person)]
To = Annotated[str, typer.Option("--to", help="Whose it is from now on.", callback=person)]
For = Annotated[str, typer.Option("--for", metavar="DURATION", help="For how long: 30m, 4h, 1d; a day at most.")]
Why = Annotated[str, typer.Option(help="Why, in words.", callback=words)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST = timedelta(days=1)
# Of a day's minutes: so long a number is no time to sleep, and a longer one no `timedelta`.
_DIGITS = 4


class LabelWord(StrEnum):
    """What it turned out to be."""

    FRAUD = "fraud"
    GENUINE = "genuine"
    INCONCLUSIVE = "inconclusive"


Labelled = Annotated[LabelWord, typer.Option("--label", help="What it turned out to be.")]


def until(duration: str) -> str:
    """When a snooze ends, RFC 3339.

    Raises:
        CommandError: it is no duration, or one that is too long.

    """
    number, unit = duration[:-1], _UNITS.get(duration[-1:])
    counts = number.isascii() and number.isdigit() and len(number) <= _DIGITS
    if unit is None or not counts or not timedelta() < int(number) * unit <= _LONGEST:
        raise CommandError(
            f"--for: {duration!r} is no time to sleep", "Write it like 30m or 4h, 1d at most.", Exit.SETTINGS
        )
    return format_ms(int((time.time() + (int(number) * unit).total_seconds()) * 1000))
