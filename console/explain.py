"""`tierwatch explain`: why an alert came about, counted again from itself and, while it lasts, from the log."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from agents.exit_codes import Exit
from console.errors import CommandError

if TYPE_CHECKING:
    from pipeline.learned.model import Model
    from pipeline.policy.model import Policy
    from schemas.decision import Alert

# Values of whole inputs are not read: those that hold the word are few.
_MARK = b'"alerts"'
_PAYMENT = b'"transactions'


def command(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Its alert_id.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILES...]",
            help="The log as `replay` reads it and, among its lines, the alert as `replay` writes it; else Kafka's.",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="The house's first policy. [default: TIERWATCH_POLICY]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say in words why an alert came about, and work everything on it out again.

    From the alert itself: ids, evidence, points, score, outcome, reasons. From the log, while it lasts: the whole
    alert, field by field, with the digest of the state it was judged on. Exit code 6: something does not agree.
    """
    from msgspec.json import decode, encode

    from console.environment import settings
    from console.policies import read_policy
    from pipeline.explain import differing, recount, score_in_words

    environment = settings()
    first = read_policy(policy or environment.policy)
    found = _from_files(alert, files, first) if files else _from_kafka(alert, first)
    told = decode(found.stands, type=_alert_type())
    known = found.policy if found.policy.digest == told.policy_hash else None
    checks = recount(told, known, found.model)
    differences = list(differing(decode(found.stands), decode(found.made))) if found.made else []
    if found.made is None and not found.gone:
        differences = ["it makes no such alert"]
    agrees = all(check.agrees for check in checks) and not differences
    if json:
        said = [{"what": each.what, "said": each.said, "made": each.made, "agrees": each.agrees} for each in checks]
        log = {"lasts": not found.gone, "why_not": found.gone, "differences": differences}
        typer.echo(
            encode({"alert_id": alert, "agrees": agrees, "checks": said, "policy": known is not None, "log": log})
        )
    else:
        lines = [*_why(told), f"  {score_in_words(told)}", *_counted(checks)]
        if known is None:
            lines.append(f"the policy {told.policy_hash[:12]}… is not at hand (--policy): its points were not compared")
        lines += [f"the log does not agree: {each}" for each in differences]
        if not differences:
            lines.append(found.gone or "the log makes the very same alert")
        typer.echo("\n".join(lines))
    if not agrees:
        raise typer.Exit(Exit.MISMATCH)


def _alert_type() -> "type[Alert]":
    from schemas.decision import Alert

    return Alert


def _why(alert: "Alert") -> Iterator[str]:
    who = f"customer {alert.customer_id}, tier {alert.tier}"
    yield f"{alert.alert_id}: {alert.outcome} for {who}, at {alert.arrived_at}"
    yield from (f"  {reason}" for reason in alert.reasons)
    for signal in alert.signals:
        seen = signal.evidence
        ids = f"; {seen.count} from {seen.first} to {seen.last}: {', '.join(seen.transaction_ids)}" if seen else ""
        yield f"  {signal.rule} ({signal.mode}, {signal.points} points): {signal.observed:,} of {signal.limit:,}{ids}"
        for part in signal.parts:
            case = f" ({part.case})" if part.case else ""
            yield f"    {part.points:+} of {part.rule} {part.figure:.6g}{case}"


def _counted(checks: Iterable[Any]) -> Iterator[str]:
    agreeing = 0
    for check in checks:
        agreeing += check.agrees
        if not check.agrees:
            yield f"does not agree: {check.what}: the alert says {check.said}, it comes to {check.made}"
    yield f"counted again from the alert: {agreeing} agree"


class Found(NamedTuple):
    """The alert's bytes as it stands and as the log makes it, None if it does not; the policy; why there is no log.

    `model` is the one that the policy has asked, None where that is not at hand.
    """

    stands: bytes
    made: bytes | None
    policy: "Policy"
    gone: str
    model: "Model | None" = None


def _from_files(alert_id: str, files: list[str], first: "Policy") -> Found:
    from console.inputs import check_readable, lines_of, open_input
    from console.replay import replay

    check_readable(files)
    stands: list[bytes] = []
    payments = 0

    def inputs() -> Iterator[bytes]:
        nonlocal payments
        for name in files:
            with open_input(name) as source:
                for line in lines_of(source):
                    value = _alert_in(line, alert_id) if _MARK in line else None
                    if value is None:
                        payments += _PAYMENT in line
                        yield line
                    elif value:
                        stands.append(value)

    made = None
    for message in replay(inputs(), first):
        if message.topic == "alerts" and ("ce_id", alert_id.encode()) in message.headers:
            made = message.value
    if not stands and made is None:
        raise CommandError(
            f"there is no alert {alert_id} in these files", "Give the log's lines, as `replay` has them."
        )
    gone = "" if payments else "these files hold no transactions: only the alert itself was counted"
    return Found(stands[0] if stands else made or b"", made, first, gone)


def _alert_in(line: bytes, alert_id: str) -> bytes | None:
    """The alert's own bytes, b"" for a line about another alert, None for a line of the log."""
    from msgspec import DecodeError, Raw, json

    try:
        fields = json.decode(line, type=dict[str, Raw])
        if json.decode(fields.get("topic", b'""')) != "alerts" or "value" not in fields:
            return None
        value = bytes(fields["value"])
        return value if json.decode(value, type=_alert_type()).alert_id == alert_id else b""
    except DecodeError:
        return None


def _from_kafka(alert_id: str, first: "Policy") -> Found:
    import asyncio

    from msgspec import json

    from agents.verify.once import GoneError, make_again
    from agents.whole_topic import WholeTopic
    from console.environment import settings

    with WholeTopic(settings(), "alerts") as whole:
        ids = (record for record in whole.to_the_end() if ("ce_id", alert_id.encode()) in record.headers)
        record = next(ids, None)
    if record is None or record.value is None:
        raise CommandError(f"there is no alert {alert_id}", "`tierwatch alerts list --all` shows their ids.")
    try:
        made = asyncio.run(make_again(settings(), first, json.decode(record.value, type=_alert_type())))
    except GoneError as error:
        return Found(record.value, None, first, f"the log does not last so long: {error}")
    return Found(record.value, made.value, made.policy, "", made.model)
