"""`tierwatch doctor`: what is wrong with this house, and what to do about it."""

from pathlib import Path
from typing import Annotated

import typer

from agents.exit_codes import Exit

_MARKS = {"well": "ok  ", "warning": "look", "ill": "ILL "}


def command(
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="The house's first policy. [default: TIERWATCH_POLICY]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Examine Kafka, its topics, workers, lag, processors, policy, clock, versions, Redis and certificates.

    Reads and changes nothing. Ends with 0 where nothing is ill, warnings included; with 10 where something is; with 4
    or 5 where Kafka does not answer or refuses us, so that nothing else can be asked.
    """
    from msgspec.json import encode

    from agents.doctor.examine import examine
    from agents.doctor.finding import Finding
    from console.environment import settings
    from console.policies import read_policy

    environment = settings()
    findings: list[Finding] = []
    for finding in examine(environment, read_policy(policy or environment.policy)):
        findings.append(finding)
        if not json:
            typer.echo(f"{_MARKS[finding.state]} {finding.check}: {finding.says}")
            if finding.do:
                typer.echo(f"       {finding.do}")
    ill = [finding for finding in findings if finding.state == "ill"]
    if json:
        told = [{"check": each.check, "state": each.state, "says": each.says, "do": each.do} for each in findings]
        typer.echo(encode({"ok": not ill, "findings": told}))
    if ill:
        raise typer.Exit(Exit.UNWELL)
