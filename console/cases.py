"""`tierwatch cases`: the incidents that alerts make."""

from typing import Annotated

import typer

from console.terminal import counted

app = typer.Typer(no_args_is_help=True, help="Cases: the alerts that are one incident.")


@app.callback()
def cases() -> None:
    """Cases: the alerts that are one incident."""


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List cases, the one with the newest alert last."""
    from msgspec.json import Decoder, encode

    from agents.whole_topic import WholeTopic
    from console.environment import settings
    from pipeline.cases.notice import loudness
    from schemas.case import Case

    decode = Decoder(Case).decode
    newest: dict[str, Case] = {}
    with WholeTopic(settings(), "cases") as whole:
        for record in whole.to_the_end():
            if record.value is not None:
                case = decode(record.value)
                newest[case.case_id] = case
    shown = [case for case in newest.values() if everything or case.state == "open"]
    for case in sorted(shown, key=lambda case: (case.last_alert_at, case.case_id)):
        if json:
            typer.echo(encode(case))
        else:
            state = "" if case.state == "open" else f"  {case.state}"
            typer.echo(
                f"{case.case_id}  {loudness(case)}  {counted(case.alerts, 'alert')} up to {case.outcome} since "
                f"{case.opened_at}: {', '.join(case.rules)}  {case.correlation} {case.entity}{state}"
            )
    if not json:
        typer.echo(counted(len(shown), "case"))
