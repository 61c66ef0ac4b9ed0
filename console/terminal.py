"""Where people are talked to: standard error, in colour and with progress bars on terminals only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.errors import CommandError


def stderr() -> Console:
    """A console on standard error as it is now; rich leaves colours out for pipes and for `NO_COLOR`."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)


def tell_error(command: str, error: CommandError) -> None:
    """Say what is wrong on one line, and what to do on the next; first the places where it is wrong."""
    console = stderr()
    for detail in error.details:
        console.print(detail)
    console.print(f"{command}: {error.message}", style="bold red")
    if error.hint:  # what agents raise says on its one line what to do
        console.print(f"  {error.hint}")


def warn(message: str) -> None:
    """Say what the person should know although the command goes on."""
    stderr().print(f"warning: {message}", style="yellow")


class Meter(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int) -> None:
        """Say how many bytes or steps are done in all."""


@contextmanager
def bytes_read(what: str, total: int | None, *, shown: bool = True) -> Iterator[Meter]:
    """A bar of bytes on standard error; silent where that is no terminal. `total` is None where it is unknown."""
    console = stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def steps(what: str, total: int) -> Iterator[Meter]:
    """A bar of so many steps on standard error; silent where that is no terminal."""
    console = stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def counted(number: int, thing: str) -> str:
    """`1 problem`, `2 problems`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def shown(text: str | bytes) -> str:
    """What anybody sent, with escapes for what a terminal would obey instead of showing it."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
