"""`tierwatch pager`: make cases of alerts, and tell whoever is on call."""

import signal
from types import FrameType

import typer

from agents.exit_codes import Exit
from console.errors import CommandError


def command() -> None:
    """Make cases of alerts and hand them to Alertmanager until Ctrl-C or SIGTERM; several share the partitions.

    TIERWATCH_ALERTMANAGER names it. All alerts of one customer are one case until it has been quiet for four hours;
    who hears of a case, and how often, is Alertmanager's configuration.
    """
    from agents import log
    from agents.pager import Pager
    from console.environment import settings

    environment = settings()
    if not environment.alertmanager:
        raise CommandError(
            "nobody can be paged", "Set TIERWATCH_ALERTMANAGER, such as http://localhost:9093.", Exit.SETTINGS
        )
    log.set_up(environment.log_level, environment.log_format)
    told = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal told
        told = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    Pager(environment).run(lambda: told)
    typer.echo("stopped", err=True)
