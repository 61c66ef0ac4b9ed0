"""`tierwatch attestation issue | verify | revoke | pass-on`: what platforms tell one another."""

import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.policies import read_policy
from console.policy_house import House
from console.policy_life import AsJson, Reason
from console.signing_key import MAKE_ONE, KeyFile, read_private_key
from schemas.timestamps import MS_PER_DAY, MS_PER_SECOND, format_ms, parse_ms

if TYPE_CHECKING:
    from pipeline.policy.model import Policy
    from schemas.attestation import AttestedEvidence, AttestedKind

app = typer.Typer(no_args_is_help=True, help="What platforms tell one another about customers they have checked.")

PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="Whom we trust. [default: TIERWATCH_POLICY]")
]
Issuer = Annotated[str, typer.Option(metavar="NAME", help="What we are called in other platforms' policies.")]
KeyId = Annotated[str, typer.Option("--key-id", metavar="ID", help="The key's id there.")]
At = Annotated[str, typer.Option("--at", metavar="TIME", help="As of this time, RFC 3339. [default: now]")]
_KINDS = ("identity", "credit", "source_of_funds")


@app.callback()
def attestation() -> None:
    """What platforms tell one another about customers they have checked."""


@app.command("issue")
def issue(
    *,
    issuer: Issuer,
    key_id: KeyId,
    audience: Annotated[str, typer.Option(metavar="NAME", help="The platform it is for, as it calls itself.")],
    application: Annotated[str, typer.Option(metavar="ID", help="The customer's application there; it names nobody.")],
    customer: Annotated[str, typer.Option(metavar="ID", help="The customer's id there; only a digest of it is told.")],
    tier: Annotated[str, typer.Option(metavar="TIER", help="The tier granted here.")],
    evidence: Annotated[
        list[str],
        typer.Option(
            metavar="KIND=TIME[..TIME]", help="What was checked, when, and until when it holds; again for more."
        ),
    ],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long the attestation counts.")] = 30,
    at: At = "",
    key: KeyFile = None,
) -> None:
    """Sign an attestation and print it: a compact JWS, without personal data, for one application at one platform."""
    from schemas.attestation import Attestation, holder_of, seal

    private_key = read_private_key(_key_file(key))
    now_ms = _moment(at, "--at")
    claims = Attestation(
        iss=issuer,
        aud=audience,
        jti=str(uuid.uuid4()),
        iat=now_ms // MS_PER_SECOND,
        exp=(now_ms + days * MS_PER_DAY) // MS_PER_SECOND,
        application=application,
        holder=holder_of(audience, application, customer),
        tier=tier,
        evidence=tuple(_evidence(text) for text in evidence),
    )
    typer.echo(seal(claims, private_key, key_id))
    typer.echo(f"attestation {claims.jti}, until {format_ms(claims.exp * MS_PER_SECOND)}", err=True)


@app.command("verify")
def verify(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The attestation; - reads it from standard input.")],
    *,
    application: Annotated[str, typer.Option(metavar="ID", help="The application with which it was shown.")],
    customer: Annotated[str, typer.Option(metavar="ID", help="The customer who showed it.")],
    revocations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What issuers took back: revocations, one a line.")
    ] = None,
    policy: PolicyFile = None,
    at: At = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether another platform's attestation counts for a customer's application, and for which evidence.

    Whether it was shown before, only the application's own file can say: workers look there.
    """
    from msgspec.json import encode

    from pipeline.whitelist.attestation import Accepted, accept

    terms = _policy(policy)
    now_ms = _moment(at, "--at")
    text = typer.get_text_stream("stdin").read().strip() if token == "-" else token  # noqa: S105 - not a secret
    found = accept(text, application, customer, terms, now_ms, revoked=_revoked(revocations, terms))
    if not isinstance(found, Accepted):
        if json:
            typer.echo(encode({"accepted": False, "reason": found.reason, "detail": found.detail}))
        else:
            typer.echo(f"refused: {found.reason}: {found.detail}")
            typer.echo(f"  {found.reason.meaning}")
        raise typer.Exit(Exit.BAD_INPUT)
    told = [
        {"kind": one.kind, "issued_at": format_ms(one.issued_ms), "expires_at": format_ms(one.expires_ms)}
        for one in found.evidence
    ]
    if json:
        said = {"accepted": True, "issuer": found.issuer, "attestation_id": found.attestation_id, "tier": found.tier}
        typer.echo(encode({**said, "evidence": told}))
    else:
        typer.echo(f"{found.issuer} has granted {found.tier}; its word counts for")
        for one in told:
            typer.echo(f"  {one['kind']}, checked {one['issued_at']}, until {one['expires_at']}")
        typer.echo("Our own screening is still due.")


@app.command("pass-on")
def pass_on(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The issuer's revocation, as `revoke` makes it.")],
    *,
    key: KeyFile = None,
    reason: Reason = "",
    json: AsJson = False,
) -> None:
    """Pass an issuer's revocation on to every worker: what rests on it leaves the files within the hour.

    KEY is yours, of the policy's people; the revocation itself is signed by its issuer.
    """
    with House() as house:
        house.say(key, "attestation.revoked", {"token": token}, reason=reason, json=json)
        if not json:
            typer.echo("Passed on: it counts for nobody any more.")


@app.command("revoke")
def revoke(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of attestations (`jti`), as `issue` told them.")],
    *,
    issuer: Issuer,
    key_id: KeyId,
    at: At = "",
    key: KeyFile = None,
) -> None:
    """Sign that attestations count no more, and print it: for everybody they were given to."""
    from schemas.attestation import Revocation, seal

    private_key = read_private_key(_key_file(key))
    claims = Revocation(iss=issuer, iat=_moment(at, "--at") // MS_PER_SECOND, revoked=tuple(ids))
    typer.echo(seal(claims, private_key, key_id))


def _key_file(key: Path | None) -> Path:
    from console.environment import settings

    path = key or settings().signing_key
    if path is None:
        raise CommandError("no key to sign with", f"Name it: --key FILE, or TIERWATCH_SIGNING_KEY. {MAKE_ONE}")
    return path


def _policy(path: Path | None) -> "Policy":
    from console.environment import settings

    return read_policy(path or settings().policy)


def _revoked(path: Path | None, policy: "Policy") -> frozenset[str]:
    from console.policies import read_yaml
    from pipeline.whitelist.attestation import revoked_by

    if path is None:
        return frozenset()
    revoked: frozenset[str] = frozenset()
    for number, line in enumerate(read_yaml(path).decode(errors="replace").split("\n"), start=1):
        if line.strip():
            found = revoked_by(line.strip(), policy)
            if not isinstance(found, frozenset):
                raise CommandError(
                    f"{path}:{number}: refused: {found.reason}: {found.detail}",
                    "Each line is one revocation, as `tierwatch attestation revoke` prints it.",
                )
            revoked |= found
    return revoked


def _evidence(text: str) -> "AttestedEvidence":
    from schemas.attestation import AttestedEvidence

    kind, _, times = text.partition("=")
    issued, _, expires = times.partition("..")
    if kind not in _KINDS or not issued:
        raise CommandError(
            f"--evidence {text} is none",
            f"Write KIND=TIME or KIND=TIME..TIME; kinds are {', '.join(_KINDS)}.",
            Exit.SETTINGS,
        )
    checked = _moment(issued, "--evidence") // MS_PER_SECOND
    until = _moment(expires, "--evidence") // MS_PER_SECOND if expires else None
    if until is not None and until <= checked:
        raise CommandError(
            f"--evidence {text} ends before it begins",
            "Write when it was checked, then until when it holds.",
            Exit.SETTINGS,
        )
    return AttestedEvidence(kind=cast("AttestedKind", kind), issued=checked, expires=until)


def _moment(text: str, option: str) -> int:
    if not text:
        return int(time.time() * 1000)
    try:
        return parse_ms(text)
    except (ValueError, OverflowError) as error:
        raise CommandError(
            f"{option}: {text} is no time: {error}", "For example 2026-12-01T06:00:00Z.", Exit.SETTINGS
        ) from error
