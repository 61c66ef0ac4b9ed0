"""`tierwatch cases`: the incidents that alerts make, and what people do with them."""

from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.terminal import counted, shown
from console.working import Actor, AsJson, For, Labelled, To, Why, until

if TYPE_CHECKING:
    from schemas.case import Case

app = typer.Typer(no_args_is_help=True, help="Cases: list, show, assign, snooze, close, reopen, merge, split.")

Id = Annotated[str, typer.Argument(metavar="CASE", help="Its case_id.")]
_SHOWN = 50


@app.callback()
def cases() -> None:
    """Cases: the alerts that are one incident."""


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are closed or absorbed.")] = False,
    queue: Annotated[str, typer.Option("--queue", help="Of this queue: a service channel.")] = "",
    json: AsJson = False,
) -> None:
    """List cases, the one with the newest alert last."""
    from msgspec.json import encode

    from agents.casework import cases as every
    from console.environment import settings

    wanted = [
        case
        for case in every(settings()).values()
        if (everything or case.state == "open") and (not queue or case.queue == queue)
    ]
    for case in sorted(wanted, key=lambda case: (case.last_alert_at, case.case_id)):
        typer.echo(encode(case) if json else _line(case))
    if not json:
        typer.echo(counted(len(wanted), "case"))


@app.command("show")
def show(case: Id, json: AsJson = False) -> None:
    """Show one case: what it is about, by when somebody must have it, and which alerts are in it and why."""
    from msgspec.json import encode

    from agents.casework import case_file
    from console.environment import settings

    file = case_file(settings(), _find(case))
    if json:
        typer.echo(encode({"case": file.case, "members": file.members}))
        return
    found = file.case
    typer.echo(_line(found))
    typer.echo(f"  queue {found.queue}, due {found.due_at}, {shown(found.assignee) or 'nobody'} has it")
    if found.closed_by:
        typer.echo(f"  closed by {shown(found.closed_by)} {found.label}".rstrip())
    for member in file.members[:_SHOWN]:
        typer.echo(f"  alert {member.alert_id}  {member.reason}  customer {member.customer_id}")
    if len(file.members) > _SHOWN:
        typer.echo(f"  … and {len(file.members) - _SHOWN:,} more: --json shows all")


@app.command("assign")
def assign(case: Id, *, to: To, actor: Actor) -> None:
    """Say whose a case is: receivers hear that somebody has it."""
    from agents.casework import work_case
    from console.environment import settings

    work_case(settings(), _find(case), "assign", actor, to=to)
    typer.echo(f"{case} is {to}'s")


@app.command("snooze")
def snooze(case: Id, *, duration: For, actor: Actor, why: Why) -> None:
    """Let nobody hear of a case for some time; it is told when it wakes."""
    from agents.casework import work_case
    from console.environment import settings

    end = until(duration)
    work_case(settings(), _find(case), "snooze", actor, until=end, why=why)
    typer.echo(f"{case} sleeps until {end}")


@app.command("close")
def close(case: Id, *, label: Labelled, actor: Actor, why: Why = "") -> None:
    """Close a case; whatever comes to it later opens it again. `alerts close` labels single alerts."""
    from agents.casework import work_case
    from console.environment import settings

    work_case(settings(), _find(case), "close", actor, label=label.value, why=why)
    typer.echo(f"{case} is closed: {label.value}")


@app.command("reopen")
def reopen(case: Id, *, actor: Actor, why: Why = "") -> None:
    """Open a closed case again: receivers hear of it."""
    from agents.casework import work_case
    from console.environment import settings

    work_case(settings(), _find(case), "reopen", actor, why=why)
    typer.echo(f"{case} is open")


@app.command("merge")
def merge(
    case: Id, into: Annotated[str, typer.Argument(metavar="INTO", help="The case that stays.")], *, actor: Actor
) -> None:
    """Make one case part of another."""
    from agents.casework import merge as together
    from console.environment import settings

    if case == into:
        raise CommandError("both are the same case", "Name two.", Exit.SETTINGS)
    together(settings(), _find(case), _find(into), actor)
    typer.echo(f"{case} is part of {into}")


@app.command("split")
def split(
    case: Id, alerts: Annotated[list[str], typer.Argument(metavar="ALERTS", help="At most a hundred.")], *, actor: Actor
) -> None:
    """Make a case of their own of some of a case's alerts; nothing joins it by itself."""
    from agents.casework import alerts as every
    from agents.casework import case_file
    from agents.casework import split as apart
    from console.environment import settings
    from console.policies import read_policy

    environment = settings()
    found = _find(case)
    members = {member.alert_id for member in case_file(environment, found).members}
    if strangers := set(alerts) - members:
        raise CommandError(f"not of this case: {', '.join(sorted(strangers))}", f"`tierwatch cases show {case}`.")
    if len(set(alerts)) >= found.alerts:
        raise CommandError("nothing would be left of the case", "Name fewer alerts.", Exit.SETTINGS)
    parts = [file.alert for file in every(environment) if file.alert.alert_id in set(alerts)]
    apart(environment, found, parts, read_policy(environment.policy), actor)
    typer.echo(f"{counted(len(parts), 'alert')} of {case} are a case of their own")


def _find(case_id: str) -> "Case":
    from agents.casework import cases as every
    from console.environment import settings

    found = every(settings()).get(case_id)
    if found is None:
        raise CommandError(f"there is no case {case_id}", "`tierwatch cases list --all` shows their ids.")
    return found


def _line(case: "Case") -> str:
    from pipeline.cases.notice import loudness

    what = f"campaign of {case.rule}, " if case.rule else ""
    state = "" if case.state == "open" else f"  {case.state}"
    owner = f"  {shown(case.assignee)}'s" if case.assignee else ""
    delayed = f", {case.delayed:,} of them delayed," if case.delayed else ""
    return (
        f"{case.case_id}  {loudness(case)}  {what}{counted(case.alerts, 'alert')}{delayed} up to {case.outcome} since "
        f"{case.opened_at}: {', '.join(case.rules)}  {case.correlation} {case.entity}{owner}{state}"
    )
