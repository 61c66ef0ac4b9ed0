"""`tierwatch audit`: what an auditor does with the audit."""

from collections.abc import Callable
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
    """Follow the hash chains of the audit and of what was done about dead letters.

    Say every place where a record was edited, dropped or slipped in.
    """
    from msgspec.json import Decoder, encode

    from agents.dead_letters import ACTIONS
    from agents.whole_topic import WholeTopic
    from console.environment import settings
    from console.terminal import counted
    from pipeline.audit_chain import verify as follow
    from schemas.audit import AuditEntry
    from schemas.dead_letter_action import DeadLetterAction

    values: dict[tuple[str, int], list[tuple[int, bytes]]] = {}
    decoders: dict[str, Callable[[bytes], AuditEntry | DeadLetterAction]] = {
        "audit": Decoder(AuditEntry).decode,
        ACTIONS: Decoder(DeadLetterAction).decode,
    }
    for topic in decoders:
        with WholeTopic(settings(), topic) as whole:
            for record in whole.to_the_end():
                values.setdefault((topic, record.partition), []).append((record.offset, record.value or b""))
    entries, problems, spoken = 0, [], list[int]()
    for (topic, partition), records in sorted(values.items()):
        heads, breaks = follow((value for _, value in records), decoders[topic])
        entries += sum(head.entries for head in heads.values())
        problems += [_problem(topic, partition, records[each.place - 1][0], each.chain, each.what) for each in breaks]
        if _POLICIES in heads:
            spoken.append(partition)
    # One worker speaks for the policies, on one partition: their entries elsewhere are nobody's.
    elsewhere = f"{_POLICIES} stand on partition {spoken[0]}" if spoken else ""
    problems += [_problem("audit", partition, 0, _POLICIES, elsewhere) for partition in spoken[1:]]
    if json:
        typer.echo(encode({"ok": not problems, "entries": entries, "breaks": problems}))
    else:
        for problem in problems:
            typer.echo("{topic}, partition {partition}, offset {offset}: {what}".format_map(problem))
        typer.echo(f"{counted(entries, 'record')} in {counted(len(values), 'partition')}: {_verdict(problems)}")
    if problems:
        raise typer.Exit(Exit.MISMATCH)


def _problem(topic: str, partition: int, offset: int, chain: str, what: str) -> dict[str, object]:
    return {"topic": topic, "partition": partition, "offset": offset, "chain": chain, "what": what}


def _verdict(problems: list[dict[str, object]]) -> str:
    return "the chain is broken; compare with a copy kept elsewhere" if problems else "the chains hold"
