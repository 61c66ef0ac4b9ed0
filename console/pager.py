"""`tierwatch pager`: make cases of alerts, and tell whoever is on call."""

import signal
from types import FrameType

import typer

from agents.exit_codes import Exit
from console.errors import CommandError


def command() -> None:
    """Make cases of alerts and tell whoever is on call until Ctrl-C or SIGTERM; several share the partitions.

    TIERWATCH_ALERTMANAGER, TIERWATCH_PAGERDUTY_KEY and TIERWATCH_WEBHOOK name the receivers: each is told of each case.
    What is one case, and how long a page waits, is the policy's; who hears of a case, Alertmanager's configuration.
    """
    from agents import log, web
    from agents.pager import Pager
    from agents.paging.answers import PATH, Answers
    from agents.paging.receivers import receivers
    from console.environment import settings
    from console.policies import read_policy

    environment = settings()
    found = receivers(environment)
    if not found:
        raise CommandError(
            "nobody can be paged",
            "Set TIERWATCH_ALERTMANAGER, such as http://localhost:9093, TIERWATCH_PAGERDUTY_KEY or TIERWATCH_WEBHOOK.",
            Exit.SETTINGS,
        )
    log.set_up(environment.log_level, environment.log_format)
    pager = Pager(environment, read_policy(environment.policy), found)
    posts = {PATH: Answers(environment).take} if environment.pagerduty_secret else {}
    port = web.serve(environment.metrics_host, environment.metrics_port, pager.metrics.registry, pager.metrics, posts)
    log.Log("pager").info("metrics served", port=port, path="/metrics")
    told = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal told
        told = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    pager.run(lambda: told)
    typer.echo("stopped", err=True)
