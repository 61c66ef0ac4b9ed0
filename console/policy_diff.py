"""`tierwatch policy diff`: two policies compared in words, and how many customers notice."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.errors import CommandError

if TYPE_CHECKING:
    from pipeline.policy.diff import Change
    from pipeline.policy.model import Policy

KAFKA = "kafka"


def command(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The policy as it is, YAML.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The policy as it shall be, YAML.")],
    *,
    touches: Annotated[
        str,
        typer.Option(
            "--touches",
            metavar="kafka|FILE",
            help="Count the customers who notice: from the topic `entitlements`, or a file of its messages, one a line "
            "(- is standard input).",
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say in words what changes from one policy to another, and for how many customers.

    Customers without a message in `entitlements` have never been granted anything: they are at the base tier, and no
    list holds them all, so they are not counted.
    """
    from msgspec.json import encode

    from console.policies import read_policy
    from pipeline.policy.diff import diff, tightened, touched_tiers

    before, after = read_policy(old), read_policy(new)
    changes = diff(before, after)
    tiers = touched_tiers(changes, before, after)
    customers = count_customers(touches, tiers) if touches else None
    if json:
        said = {
            "old": _named(before),
            "new": _named(after),
            "changes": [{**change._asdict(), "words": str(change)} for change in changes],
            "tiers_touched": tiers,
            "tiers_tightened": list(tightened(before, after)),
        }
        typer.echo(encode(said if customers is None else {**said, "customers_touched": customers}))
        return
    tell(changes)
    if customers is not None:
        typer.echo(touched_in_words(customers))


def tell(changes: Sequence["Change"], indent: str = "") -> None:
    """Print changes, one a line."""
    for change in changes:
        typer.echo(f"{indent}{change}")
    if not changes:
        typer.echo(f"{indent}No difference: both say the same.")


def touched_in_words(customers: Mapping[str, int]) -> str:
    """`touches 1,204 customers: gold 1,200, platinum 4`."""
    from console.terminal import counted

    by_tier = ", ".join(f"{tier} {count:,}" for tier, count in customers.items() if count)
    words = f"touches {counted(sum(customers.values()), 'customer')}"
    return f"{words}: {by_tier}" if by_tier else words


def count_customers(source: str, tiers: Iterable[str]) -> dict[str, int]:
    """How many customers are at each of these tiers, by the last entitlement of each. `source`: `kafka` or a file.

    Raises:
        CommandError: the file cannot be read, or a line is no entitlement.
        BrokerError: Kafka does not give the topic.

    """
    latest = _of_kafka() if source == KAFKA else tiers_of_file(source)
    counts = Counter(latest.values())
    return {tier: counts[tier] for tier in tiers}


def _of_kafka() -> dict[bytes | str, str]:
    from msgspec.json import Decoder

    from agents.whole_topic import WholeTopic
    from console.environment import settings
    from schemas.entitlement import Entitlement

    decode = Decoder(Entitlement).decode
    latest: dict[bytes | str, str] = {}
    with WholeTopic(settings(), "entitlements") as topic:
        for record in topic.to_the_end():
            if record.key is not None and record.value is not None:
                latest[record.key] = decode(record.value).tier
            elif record.key is not None:
                latest.pop(record.key, None)
    return latest


def tiers_of_file(name: str) -> dict[bytes | str, str]:
    """Each customer's tier, by the last of a file's messages of `entitlements`.

    Raises:
        CommandError: the file cannot be read, or a line is no entitlement.

    """
    from msgspec import DecodeError
    from msgspec.json import Decoder

    from console.inputs import lines_of, open_input
    from schemas.entitlement import Entitlement

    decode = Decoder(Entitlement).decode
    latest: dict[bytes | str, str] = {}
    with open_input(name) as source:
        for number, line in enumerate(lines_of(source), start=1):
            if not line.strip():
                continue
            try:
                said = decode(line)
            except (DecodeError, UnicodeDecodeError) as error:
                raise CommandError(
                    f"{name}:{number}: not an entitlement: {error}",
                    "Each line is one message of the topic `entitlements`, as JSON.",
                ) from error
            latest[said.customer_id] = said.tier
    return latest


def _named(policy: "Policy") -> dict[str, object]:
    return {"name": policy.name, "version": policy.version, "digest": policy.digest}
