"""`tierwatch policy propose | approve | reject | rollback`: signed events for the topic `policies`.

A command decides nothing: it signs, publishes, reads the topic back and says what every worker makes of the event.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.policies import read_policy, read_yaml
from console.policy_diff import tell
from console.policy_house import House
from console.signing_key import KeyFile
from schemas.timestamps import format_ms, parse_ms

if TYPE_CHECKING:
    from pipeline.policy.model import Policy

Which = Annotated[str, typer.Argument(metavar="VERSION|DIGEST", help="Its number, or the beginning of its SHA-256.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for those who read the audit.")]
From = Annotated[
    str, typer.Option("--from", metavar="TIME", help="When it takes effect, RFC 3339. [default: as soon as it may]")
]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without asking.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_LEAST_DIGITS = 8


def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new version, YAML.")],
    *,
    base: Annotated[
        str,
        typer.Option(
            metavar="VERSION|DIGEST", help="What it was written against. [default: the version approved last]"
        ),
    ] = "",
    key: KeyFile = None,
    reason: Reason = "",
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Propose a new version of the policy to the people who may approve it."""
    text = read_yaml(file)
    read_policy(file)
    with House() as house:
        propose_text(house, text, base=base, key=key, reason=reason, yes=yes, json=json)


def propose_text(
    house: House, text: bytes, *, base: str = "", key: Path | None, reason: str, yes: bool, json: bool
) -> None:
    """Propose a text that can be read, once the user has seen what it changes."""
    from pipeline.policy.diff import diff
    from pipeline.policy.load import load_policy

    policy = load_policy(text)
    head = house.book.versions.head
    base_digest = find(house, base).digest if base else head.digest
    if not json:
        tell(diff(head, policy))
    _ask(f"Propose this as version {policy.version}?", yes=yes)
    fields = {"version": policy.version, "base_digest": base_digest, "yaml": text.decode()}
    house.say(key, "policy.proposed", fields, reason=reason, json=json)
    if not json:
        roles = " or ".join(house.in_force.policy_approver_roles)
        typer.echo(f"Proposed: version {policy.version}, SHA-256 {policy.digest}.")
        typer.echo(
            f"It takes {house.in_force.policy_approvals} signatures by others with the role {roles}: "
            f"`tierwatch policy approve {policy.digest[:12]}`."
        )


def approve(
    which: Which,
    *,
    effective: From = "",
    key: KeyFile = None,
    reason: Reason = "",
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Sign a proposal that you have read; the last signature needed puts it in force some seconds later."""
    from pipeline.policy.diff import diff

    with House() as house:
        policy = _proposed(house, which)
        if not json:
            tell(diff(house.book.versions.head, policy))
        _ask(f"Approve this as version {policy.version}?", yes=yes)
        fields = {"digest": policy.digest, "effective_from": _moment(effective, house.now_ms)}
        house.say(key, "policy.approved", fields, reason=reason, json=json)
        if not json:
            _tell_progress(house, policy)


def reject(which: Which, *, key: KeyFile = None, reason: Reason = "", json: AsJson = False) -> None:
    """Close a proposal: one person who may approve, or the proposer, suffices."""
    with House() as house:
        policy = _proposed(house, which)
        house.say(key, "policy.rejected", {"digest": policy.digest}, reason=reason, json=json)
        if not json:
            typer.echo(f"Rejected: version {policy.version} will not take effect.")


def rollback(which: Which, *, key: KeyFile = None, reason: Reason = "", yes: Yes = False, json: AsJson = False) -> None:
    """Sign for going back to a version that was once in force; the last signature needed does it within seconds."""
    from pipeline.policy.diff import diff

    with House() as house:
        policy = find(house, which)
        if not json:
            tell(diff(house.in_force, policy))
        _ask(f"Go back to version {policy.version}?", yes=yes)
        fields = {"digest": policy.digest, "effective_from": format_ms(house.now_ms)}
        house.say(key, "policy.rolled_back", fields, reason=reason, json=json)
        if not json:
            _tell_progress(house, policy)


def _tell_progress(house: House, policy: "Policy") -> None:
    """Say whether the signature was the last one needed."""
    book = house.book
    coming = [since_ms for since_ms, one in book.versions.to_come(house.now_ms) if one.digest == policy.digest]
    if book.versions.head.digest != policy.digest:
        proposal = book.proposals.get(policy.digest)
        signing = book.rollbacks.get(policy.digest) or (proposal.signing if proposal else None)
        missing = signing.missing(house.in_force) if signing else 0
        typer.echo(f"Signed. Signatures still missing for version {policy.version}: {missing}.")
    elif coming:
        typer.echo(f"Signed. Version {policy.version} takes effect at {format_ms(coming[-1])}.")
    else:
        typer.echo(f"Signed. Version {policy.version} is in force.")


def _proposed(house: House, which: str) -> "Policy":
    found = [proposal.signing.policy for proposal in house.book.proposals.values()]
    waiting = [proposal.signing.policy for proposal in house.book.proposals.values() if proposal.decided is None]
    # What was decided is found, too, by its digest: whoever asks then hears from the book what became of it.
    return _one(
        [policy for policy in waiting if _is(policy, which)] or [one for one in found if _is(one, which)], which
    )


def find(house: House, which: str) -> "Policy":
    """The version of that number or digest, whatever became of it.

    Raises:
        CommandError: there is none, or several.

    """
    book = house.book
    everything = [house.first, *(proposal.signing.policy for proposal in book.proposals.values())]
    return _one([policy for policy in everything if _is(policy, which)], which)


def _is(policy: "Policy", which: str) -> bool:
    if which.isdecimal() and len(which) < _LEAST_DIGITS:
        return policy.version == int(which)
    return len(which) >= _LEAST_DIGITS and policy.digest.startswith(which.lower())


def _one(found: "list[Policy]", which: str) -> "Policy":
    if not found:
        raise CommandError(f"no version {which} is known", "`tierwatch policy show` and `history` list what there is.")
    if len(found) > 1:
        digests = [f"version {policy.version}: {policy.digest}" for policy in found]
        raise CommandError(f"{which} names several versions", "Name one by its SHA-256.", details=digests)
    return found[0]


def _moment(text: str, now_ms: int) -> str:
    try:
        return format_ms(parse_ms(text)) if text else format_ms(now_ms)
    except (ValueError, OverflowError) as error:
        hint = "For example --from 2026-12-01T06:00:00Z."
        raise CommandError(f"--from {text} is no time: {error}", hint, Exit.SETTINGS) from error


def _ask(question: str, *, yes: bool) -> None:
    try:
        agreed = yes or typer.confirm(question, err=True)
    except typer.Abort:  # no terminal, or Ctrl-D
        agreed = False
    if not agreed:
        raise CommandError("nothing was signed", "Answer y, or sign without being asked: --yes.", Exit.SETTINGS)
