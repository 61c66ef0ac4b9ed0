"""`tierwatch policy show | history`: what is in force, what waits, and how it came to be."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.policy_diff import tell
from console.policy_glass import tell_glasses
from console.policy_house import House
from console.policy_life import AsJson, find
from schemas.timestamps import format_ms

if TYPE_CHECKING:
    from pipeline.policy.model import Policy


def show(
    which: Annotated[
        str, typer.Argument(metavar="[VERSION|DIGEST]", help="With --yaml: which text. [default: the one in force]")
    ] = "",
    *,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print the text of a version, to begin a new one with.")] = False,
    json: AsJson = False,
) -> None:
    """Say which policy is in force, which one is to come, and which proposals wait for whom."""
    from msgspec.json import encode

    with House() as house:
        if yaml or which:
            policy = find(house, which) if which else house.in_force
            text = house.topic.texts.get(policy.digest)
            typer.echo(house.settings.policy.read_bytes() if text is None else text, nl=False)
        elif json:
            typer.echo(encode(_standing(house)))
        else:
            _tell(house)


def history(*, json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Say everything that was asked of the policy, by whom, and what came of it, oldest first."""
    from msgspec.json import encode

    with House() as house:
        entries = house.topic.entries
    for entry in entries:
        if json:
            typer.echo(encode(entry))
        else:
            why = f"{entry.result}: {entry.reason}" if entry.reason else entry.result
            typer.echo("  ".join(filter(None, [entry.at, f"{entry.what:<18}", entry.actor, why, entry.detail])))


def _tell(house: House) -> None:
    from pipeline.policy.diff import diff

    book, in_force = house.book, house.in_force
    typer.echo(f"In force: {_named(in_force)}")
    for since_ms, policy in book.versions.to_come(house.now_ms):
        typer.echo(f"To come at {format_ms(since_ms)}: {_named(policy)}")
        tell(diff(in_force, policy), indent="  ")
    for proposal in book.proposals.values():
        if proposal.decided is None:
            stale = "" if proposal.base_digest == book.versions.head.digest else ", stale: propose it anew"
            missing = proposal.signing.missing(in_force)
            typer.echo(f"Proposed by {proposal.proposer}: {_named(proposal.signing.policy)}{stale}")
            typer.echo(f"  {_signed(proposal.signing.signed)}, {missing} missing")
            tell(diff(book.versions.head, proposal.signing.policy), indent="  ")
    tell_glasses(house)
    for signing in book.rollbacks.values():
        typer.echo(f"Going back to {_named(signing.policy)}")
        typer.echo(f"  {_signed(signing.signed)}, {signing.missing(in_force)} missing")


def _signed(names: "dict[str, bytes]") -> str:
    return f"signed by {', '.join(names)}" if names else "signed by nobody yet"


def _named(policy: "Policy") -> str:
    return f"{policy.name} version {policy.version}, SHA-256 {policy.digest}"


def _standing(house: House) -> dict[str, Any]:
    book = house.book
    return {
        "in_force": _numbers(house.in_force),
        "to_come": [
            {**_numbers(policy), "effective_from": format_ms(since_ms)}
            for since_ms, policy in book.versions.to_come(house.now_ms)
        ],
        "proposals": [
            {
                **_numbers(proposal.signing.policy),
                "proposer": proposal.proposer,
                "signed": list(proposal.signing.signed),
                "missing": proposal.signing.missing(house.in_force),
                "stale": proposal.base_digest != book.versions.head.digest,
            }
            for proposal in book.proposals.values()
            if proposal.decided is None
        ],
        "glasses": [
            {
                "event_id": glass.event_id,
                "by": glass.by,
                "rules": glass.rules,
                "observe_only": glass.observe_only,
                "since": format_ms(glass.since_ms),
                "until": format_ms(glass.until_ms),
            }
            for glass in book.glasses.unreviewed()
        ],
        "rollbacks": [
            {
                **_numbers(signing.policy),
                "signed": list(signing.signed),
                "missing": signing.missing(house.in_force),
            }
            for signing in book.rollbacks.values()
        ],
    }


def _numbers(policy: "Policy") -> dict[str, Any]:
    return {"name": policy.name, "version": policy.version, "digest": policy.digest}
