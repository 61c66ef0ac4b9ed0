"""`tierwatch worker`: judge transactions until told to stop."""

import typer


def command() -> None:
    """Judge what comes in on Kafka until Ctrl-C or SIGTERM; several workers share the partitions.

    Settings come from the environment: TIERWATCH_BROKER, TIERWATCH_REDIS, TIERWATCH_POLICY and others, listed in
    docs/operate.md. Topics are made by `tierwatch topics create`.
    """
    from agents.worker import run_worker
    from console.environment import settings

    raise typer.Exit(run_worker(settings()))
