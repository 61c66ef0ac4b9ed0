"""`tierwatch alerts`: look at alerts and work on them one by one."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from console.errors import CommandError
from console.terminal import counted, shown
from console.working import Actor, AsJson, For, Labelled, To, Why, until
from schemas.timestamps import format_ms, parse_ms

if TYPE_CHECKING:
    from agents.casework import AlertFile
    from agents.settings import Settings

_SHOWN = 50
app = typer.Typer(no_args_is_help=True, help="Alerts: list, show, assign, snooze, close.")

Id = Annotated[str, typer.Argument(metavar="ALERT", help="Its alert_id.")]


@app.callback()
def alerts() -> None:
    """Alerts: decisions that a person must see, and what people did about them."""


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    customer: Annotated[str, typer.Option("--customer", help="Of this customer.")] = "",
    rule: Annotated[str, typer.Option("--rule", help="Of this rule.")] = "",
    json: AsJson = False,
) -> None:
    """List alerts, the newest last: what fired, for whom, and who has it."""
    from msgspec.json import encode

    from agents.casework import alerts as every
    from console.environment import settings

    environment, now = settings(), format_ms(int(time.time() * 1000))
    found = sorted(
        (
            file
            for file in every(environment)
            if (not customer or file.alert.customer_id == customer)
            and (not rule or any(signal.rule == rule for signal in file.alert.signals))
            and (everything or not file.state(now).startswith("closed"))
        ),
        key=lambda file: (file.alert.arrived_at, file.alert.alert_id),
    )
    if json:
        for file in found:
            typer.echo(encode(file._asdict() | {"delay_ms": file.delay_ms}))
    else:
        on_time_ms = _on_time_ms(environment)
        for file in found[-_SHOWN:]:
            typer.echo(_line(file, now, on_time_ms))
        more = f"; the newest {_SHOWN} are shown, --json shows all" if len(found) > _SHOWN else ""
        typer.echo(f"{counted(len(found), 'alert')}{more}")


@app.command("show")
def show(alert: Id, json: AsJson = False) -> None:
    """Show one alert: why it fired, on what evidence, and what was done about it."""
    from msgspec.json import encode

    from console.environment import settings

    file = _find(alert)
    if json:
        typer.echo(encode(file._asdict() | {"delay_ms": file.delay_ms}))
        return
    typer.echo(_line(file, format_ms(int(time.time() * 1000)), _on_time_ms(settings())))
    told = file.alert
    for reason in told.reasons:
        typer.echo(f"  {shown(reason)}")
    for signal in told.signals:
        ids = f"; {', '.join(signal.evidence.transaction_ids)}" if signal.evidence else ""
        typer.echo(f"  {signal.rule} ({signal.mode}, {signal.severity}): {signal.observed:,} of {signal.limit:,}{ids}")
    typer.echo(f"  transaction {told.transaction_id} of {told.source} at {told.occurred_at}, tier {told.tier}")
    for name in ("merchant_id", "payee_id", "device_id"):
        if value := getattr(told, name):
            typer.echo(f"  {name.removesuffix('_id')} {value}")
    typer.echo(f"  policy version {told.policy_version} ({told.policy_hash[:12]}…)")
    typer.echo(f"  {_way(file)}")
    if file.done is not None and file.done.why:
        typer.echo(shown(f"  {file.done.actor}: {file.done.why}"))


@app.command("assign")
def assign(alert: Id, *, to: To, actor: Actor, why: Why = "") -> None:
    """Say whose an alert is."""
    from agents.casework import work_alert
    from console.environment import settings

    work_alert(settings(), _find(alert).alert, "assign", actor, to=to, why=why)
    typer.echo(f"{alert} is {to}'s")


@app.command("snooze")
def snooze(alert: Id, *, duration: For, actor: Actor, why: Why) -> None:
    """Put an alert off for some time; its case is told as before."""
    from agents.casework import work_alert
    from console.environment import settings

    end = until(duration)
    work_alert(settings(), _find(alert).alert, "snooze", actor, until=end, why=why)
    typer.echo(f"{alert} sleeps until {end}")


@app.command("close")
def close(alert: Id, *, label: Labelled, actor: Actor, why: Why = "") -> None:
    """Say what an alert turned out to be: a disposition, from which rules and models learn."""
    from agents.casework import work_alert
    from console.environment import settings

    work_alert(settings(), _find(alert).alert, "close", actor, label=label.value, why=why)
    typer.echo(f"{alert} is closed: {label.value}")


def _find(alert_id: str) -> "AlertFile":
    from agents.casework import alerts as every
    from console.environment import settings

    found = next((file for file in every(settings()) if file.alert.alert_id == alert_id), None)
    if found is None:
        raise CommandError(f"there is no alert {alert_id}", "`tierwatch alerts list --all` shows their ids.")
    return found


def _on_time_ms(environment: "Settings") -> int:
    """Return how long after its transaction an alert may come before it counts as delayed."""
    from console.policies import read_policy

    return read_policy(environment.policy).cases.delayed_ms


def _line(file: "AlertFile", now: str, on_time_ms: int) -> str:
    alert = file.alert
    rules = ", ".join(dict.fromkeys(signal.rule for signal in alert.signals if signal.mode == "live"))
    delayed = f"  delayed by {timedelta(seconds=file.delay_ms // 1000)}" if file.delay_ms > on_time_ms else ""
    return (
        f"{alert.alert_id}  {alert.arrived_at}  {alert.outcome} {alert.score}  {rules}  customer {alert.customer_id}  "
        f"{shown(file.state(now))}{delayed}"
    )


def _way(file: "AlertFile") -> str:
    """Say how long the alert took to each stage, counted from the transaction's arrival."""
    arrived_ms = parse_ms(file.alert.arrived_at)
    stages = (
        f"{name.removeprefix('tw_').removesuffix('_at')} after {_late(at, arrived_ms)}"
        for name, at in file.stages.items()
    )
    return f"arrived at {file.alert.arrived_at}, {', '.join(stages)}"


def _late(at: str, since_ms: int) -> str:
    try:
        return f"{(parse_ms(at) - since_ms) / 1000:.3f} s"
    except ValueError:
        return "a time that cannot be read"
