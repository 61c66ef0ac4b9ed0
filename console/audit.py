"""`tierwatch audit`: what an auditor does with the audit."""

from typing import Annotated

import typer

from agents.exit_codes import Exit

_POLICIES = "policies"
app = typer.Typer(no_args_is_help=True, help="The audit: who did what, why, and that nobody edited it.")


@app.callback()
def audit() -> None:
    """The audit: who did what, why, and that nobody edited it."""


@app.command("verify")
def verify(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Follow the hash chains of the whole audit: say every place where a record was edited, dropped or slipped in."""
    from msgspec.json import encode

    from agents.whole_topic import WholeTopic
    from console.environment import settings
    from console.terminal import counted
    from pipeline.audit_chain import verify as follow

    values: dict[int, list[tuple[int, bytes]]] = {}
    with WholeTopic(settings(), "audit") as whole:
        for record in whole.to_the_end():
            values.setdefault(record.partition, []).append((record.offset, record.value or b""))
    entries, problems, spoken = 0, [], list[int]()
    for partition, records in sorted(values.items()):
        heads, breaks = follow(value for _, value in records)
        entries += sum(head.entries for head in heads.values())
        problems += [
            {"partition": partition, "offset": records[each.place - 1][0], "chain": each.chain, "what": each.what}
            for each in breaks
        ]
        if _POLICIES in heads:
            spoken.append(partition)
    # One worker speaks for the policies, on one partition: their entries elsewhere are nobody's.
    problems += [
        {"partition": partition, "offset": 0, "chain": _POLICIES, "what": f"{_POLICIES} stand on partition {spoken[0]}"}
        for partition in spoken[1:]
    ]
    if json:
        typer.echo(encode({"ok": not problems, "entries": entries, "breaks": problems}))
    else:
        for problem in problems:
            typer.echo("partition {partition}, offset {offset}: {what}".format_map(problem))
        typer.echo(f"{counted(entries, 'record')} in {counted(len(values), 'partition')}: {_verdict(problems)}")
    if problems:
        raise typer.Exit(Exit.MISMATCH)


def _verdict(problems: list[dict[str, object]]) -> str:
    return "the chain is broken; compare with a copy kept elsewhere" if problems else "the chains hold"
