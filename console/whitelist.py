"""`tierwatch whitelist admit | rescreen`: carry an existing whitelist over, and have all of it screened again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.policy_house import House
from console.policy_life import AsJson, Reason
from console.signing_key import KeyFile, hand
from console.terminal import counted, steps
from console.whitelist_list import Fields, admissions, countersigned, refusals, signed_so_far

if TYPE_CHECKING:
    from console.signing_key import Hand
    from pipeline.policy.model import Policy

app = typer.Typer(no_args_is_help=True, help="Carry an existing whitelist over, screen all again.")
_SHOWN = 20


@app.callback()
def whitelist() -> None:
    """Carry an existing whitelist over, and have everybody on it screened again."""


@app.command("admit")
def admit(
    *,
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="The list as CSV, or as --out wrote it for the next to sign.")
    ],
    key: KeyFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Sign only, and write it here for whoever signs next.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it, and change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Admit everybody of an existing whitelist, each on the evidence of a paper file.

    The CSV has a row for each piece of evidence: customer_id, tier, evidence, reference, issued_at, expires_at. Where a
    tier takes two approvers, one signs with --out, and the other gives that file: nothing is published before all have
    signed, and nothing at all while one admission would be refused. Reviews are spread over months.
    """
    with House() as house:
        now_ms, policy = house.now_ms, house.in_force
        signer = hand(key, policy)
        signed = _signed(_read(file, policy, signer.name, now_ms), signer)
        refused = list(refusals(signed, policy if out is None else signed_so_far(policy), now_ms))
        told = {"customers": len(signed), "refused": len(refused), "published": 0, "written": 0}
        if refused:
            _tell_refused(file, refused, told, json=json)
        if not dry_run and out is not None:
            told["written"] = _write(out, signed)
        elif not dry_run:
            told["published"] = _publish(house, signed)
    _report(told, out, dry_run=dry_run, json=json)


@app.command("rescreen")
def rescreen(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="What the new screening lists are called.")],
    *,
    key: KeyFile = None,
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Say that the screening lists changed: everybody on the whitelist is screened again, spread over a week.

    Whoever is screened by the new lists before their turn comes is not asked for.
    """
    with House() as house:
        house.say(key, "screening_list.changed", {"list_version": version}, reason=reason, json=json)
        if not json:
            typer.echo("Told: each customer's screening is asked for on `re-reviews`, in its turn.")


def _read(file: Path, policy: "Policy", actor: str, now_ms: int) -> list[Fields]:
    from msgspec import DecodeError
    from msgspec.json import decode

    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {file}: {error}", "Give a CSV in UTF-8, or what --out wrote.") from error
    if not text.startswith("{"):
        return admissions(text.splitlines(keepends=True), file.name, policy, actor, now_ms)
    try:
        made = [decode(line, type=dict) for line in text.splitlines()]
    except DecodeError as error:
        raise CommandError(f"{file} is not what --out wrote: {error}", "Have it signed again.") from error
    # Whoever signs, signs what the command is called: nothing else may come along in the file.
    if others := {str(one.get("event_type")) for one in made} - {"admission.approved"}:
        hint = "Ask who put it there, and have the list signed again."
        raise CommandError(f"{file} holds more than admissions: {', '.join(sorted(others))}", hint, Exit.BAD_INPUT)
    return made


def _signed(unsigned: list[Fields], signer: "Hand") -> list[Fields]:
    with steps("sign", len(unsigned)) as meter:
        made = []
        for number, admission in enumerate(unsigned, start=1):
            made.append(countersigned(admission, signer))
            meter(number)
    return made


def _publish(house: House, signed: list[Fields]) -> int:
    from msgspec.json import encode

    from agents.publisher import Publisher

    publisher = Publisher(house.settings.librdkafka())
    with steps("publish", len(signed)) as meter:
        for number, admission in enumerate(signed, start=1):
            publisher.publish("customer-events", admission["customer_id"].encode(), encode(admission), house.now_ms)
            meter(number)
        publisher.flush()
    return len(signed)


def _write(out: Path, signed: list[Fields]) -> int:
    from msgspec.json import encode

    try:
        out.write_bytes(b"".join(encode(admission) + b"\n" for admission in signed))
    except OSError as error:
        raise CommandError(f"cannot write {out}: {error}", "Check the folder and that you may write there.") from error
    return len(signed)


def _tell_refused(file: Path, refused: list[tuple[str, str]], told: dict[str, Any], *, json: bool) -> None:
    from msgspec.json import encode

    if json:
        typer.echo(encode(told | {"refusals": [{"customer_id": name, "reason": why} for name, why in refused]}))
        raise typer.Exit(Exit.BAD_INPUT)
    details = [f"{name}: {why}" for name, why in refused[:_SHOWN]]
    details += [f"… and {len(refused) - _SHOWN:,} more"] if len(refused) > _SHOWN else []
    raise CommandError(
        f"{counted(len(refused), 'admission')} of {file} would be refused, so nothing was done",
        "Mend the list, or leave them out; docs/whitelist.md explains each reason. With too few approvers, "
        "sign with --out, and have somebody else give that file.",
        Exit.BAD_INPUT,
        details=details,
    )


def _report(told: dict[str, Any], out: Path | None, *, dry_run: bool, json: bool) -> None:
    from msgspec.json import encode

    if json:
        typer.echo(encode(told))
        return
    customers = counted(told["customers"], "customer")
    if dry_run:
        typer.echo(f"{customers} would be admitted; nothing was changed.")
    elif out is not None:
        typer.echo(f"{customers}: signed, in {out}. Whoever signs next: `tierwatch whitelist admit --file {out}`.")
    else:
        typer.echo(f"{customers}: asked to be admitted. The audit says when each is.")
