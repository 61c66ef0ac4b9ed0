"""`tierwatch suspend`: take the tier from one customer or many at once, until approvals give it back."""

import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.exit_codes import Exit
from console.errors import CommandError
from console.terminal import counted
from schemas.timestamps import format_ms, parse_ms

if TYPE_CHECKING:
    from schemas.entitlement import Entitlement

_SHOWN = 20


def command(
    customers: Annotated[list[str] | None, typer.Argument(metavar="[CUSTOMERS]", help="Whom; or say which.")] = None,
    *,
    actor: Annotated[str, typer.Option(help="Who suspends: it stands on the audit.")],
    reason: Annotated[str, typer.Option(help="A reason code, such as takeover_suspected.")],
    tier: Annotated[str, typer.Option(help="Everybody of this tier.")] = "",
    granted_since: Annotated[str, typer.Option(metavar="TIME", help="Everybody granted since then, RFC 3339.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say whom it would be, and change nothing.")] = False,
) -> None:
    """Suspend customers at once, on one person's word. Reinstating takes the approvals of the tier.

    Name customers, or the criteria that all of them meet. Whoever is at the base tier or suspended already is left out.
    """
    from msgspec.json import encode

    from agents.publisher import Publisher
    from agents.whole_topic import WholeTopic
    from console.environment import settings

    if bool(customers) == bool(tier or granted_since):
        raise CommandError(
            "nobody is named" if not customers else "customers and criteria are named",
            "Name customers, or --tier and --granted-since, not both.",
            Exit.BAD_INPUT,
        )
    since_ms = _moment(granted_since)
    with WholeTopic(settings(), "entitlements") as whole:
        known = dict(newest(whole.to_the_end()))
    if tier and all(held.tier != tier for held in known.values()):
        _check_tier(tier)
    concerned = sorted(
        name for name, held in known.items() if meets(held, frozenset(customers or ()), tier, since_ms)
    )  # fmt: skip
    for name in concerned[:_SHOWN]:
        typer.echo(f"{name}: {known[name].tier}, granted {known[name].granted_at}")
    if len(concerned) > _SHOWN:
        typer.echo(f"… and {len(concerned) - _SHOWN:,} more")
    for name in sorted(set(customers or ()) - set(concerned)):
        typer.echo(f"{name}: left out, at the base tier or suspended already")
    if dry_run:
        typer.echo(f"{counted(len(concerned), 'customer')} would be suspended; nothing was changed.")
        return
    publisher = Publisher(settings().librdkafka())
    now_ms = int(time.time() * 1000)
    for name in concerned:
        publisher.publish("customer-events", name.encode(), encode(_event(name, actor, reason, now_ms)), now_ms)
    publisher.flush()
    typer.echo(f"{counted(len(concerned), 'customer')}: asked to be suspended. The audit says when each is.")


def newest(records: Any) -> "Iterator[tuple[str, Entitlement]]":  # noqa: ANN401 - records of any reader
    """The entitlements by customer, as they come: the last one counts."""
    from msgspec.json import Decoder

    from schemas.entitlement import Entitlement

    decode = Decoder(Entitlement).decode
    for record in records:
        if record.key is not None and record.value is not None:
            yield record.key.decode(), decode(record.value)


def meets(held: "Entitlement", customers: frozenset[str], tier: str, since_ms: int | None) -> bool:
    """Whether a customer above base is concerned: named, or meeting all criteria."""
    if held.granted_at is None or held.suspended:
        return False
    if customers:
        return held.customer_id in customers
    return (not tier or held.tier == tier) and (since_ms is None or parse_ms(held.granted_at) >= since_ms)


def _check_tier(tier: str) -> None:
    from console.policy_house import House

    with House() as house:
        names = [one.name for one in house.in_force.tiers[1:]]
    if tier not in names:
        raise CommandError(f"{tier} is no tier above base", f"Known are {', '.join(names)}.", Exit.BAD_INPUT)


def _moment(text: str) -> int | None:
    try:
        return parse_ms(text) if text else None
    except (ValueError, OverflowError) as error:
        raise CommandError(f"--granted-since: {error}", "Write it like 2026-11-22T10:00:00Z.", Exit.BAD_INPUT) from None


def _event(customer_id: str, actor: str, reason: str, now_ms: int) -> dict[str, str]:
    return {
        "event_type": "tier.suspended",
        "event_id": str(uuid.uuid4()),
        "customer_id": customer_id,
        "occurred_at": format_ms(now_ms),
        "actor": actor,
        "reason_code": reason,
    }
