"""`tierwatch status CUSTOMER`: what is in force for a customer, and how far an application is. Nothing tips off."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.timestamps import format_ms

if TYPE_CHECKING:
    from schemas.application_status import ApplicationStatus
    from schemas.entitlement import Entitlement

_STEPS = {
    "being_assessed": "is being assessed",
    "supplements_needed": "waits for what is missing",
    "call_back_due": "is verified by telephone",
    "awaiting_decision": "waits for its approval",
    "granted": "was granted",
    "declined": "was declined",
    "withdrawn": "was withdrawn",
    "lapsed": "has lapsed",
}


def command(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which tier, limits and fee a customer has, until when, and how far an application is.

    Says what the customer may know too, so it can be read out: nothing of lists, alerts or rules.
    """
    from msgspec.json import Decoder, encode

    from agents.whole_topic import WholeTopic
    from console.environment import settings
    from schemas.application_status import ApplicationStatus
    from schemas.entitlement import Entitlement

    newest: dict[str, Any] = {}
    decoders: dict[str, Decoder[Any]] = {
        "entitlements": Decoder(Entitlement),
        "application-status": Decoder(ApplicationStatus),
    }
    for topic, decoder in decoders.items():
        with WholeTopic(settings(), topic) as whole:
            for record in whole.to_the_end():
                if record.key == customer.encode() and record.value is not None:
                    newest[topic] = decoder.decode(record.value)
    entitlement, status = newest.get("entitlements"), newest.get("application-status")
    now = format_ms(int(time.time() * 1000))
    if json:
        typer.echo(encode({"customer_id": customer, "as_of": now, "entitlement": entitlement, "application": status}))
    else:
        typer.echo("\n".join([*standing(customer, entitlement, now), *application(status)]))


def standing(customer: str, entitlement: "Entitlement | None", now: str) -> list[str]:
    """What is in force, in lines. `now` is RFC 3339, as all times are: they compare as texts."""
    if entitlement is None:
        return [f"{customer}: nothing was ever granted, so the base tier holds."]
    ended = entitlement.grace_until is not None and entitlement.grace_until <= now
    lines = [f"{customer}: tier {entitlement.tier}, since {entitlement.granted_at or entitlement.as_of}"]
    if ended:
        lines.append(f"  ended at {entitlement.grace_until}: the base tier holds")
    if entitlement.frozen:
        lines.append("  the account is frozen")
    if entitlement.suspended:
        lines.append("  the tier is suspended: the base tier holds")
    lines.append(
        f"  fee {entitlement.fee_bps} bps; {entitlement.authentication} authentication; "
        f"{entitlement.lane} lane; served by {entitlement.service_channel}"
    )
    if entitlement.expires_at and not ended:
        lines.append(
            f"  review due {entitlement.review_at}; ends {entitlement.grace_until} without it; "
            f"expires {entitlement.expires_at}"
        )
    until = entitlement.limits_until
    lines += [
        f"  limit {rule}: {limit}{f', until {until[rule]}' if rule in until else ''}"
        for rule, limit in entitlement.limits.items()
    ]
    return lines


def application(status: "ApplicationStatus | None") -> list[str]:
    """How far the application is, in lines."""
    if status is None:
        return []
    why = f", because {status.reason_code}" if status.reason_code else ""
    lines = [f"application {status.application_id} for {status.tier} {_STEPS[status.step]}{why} ({status.as_of})"]
    lines += [f"  needed: {need.what} ({need.why}), by {need.by}" for need in status.needed]
    if status.needed:
        lines.append(f"  what is on file carries {status.carried}")
    if status.next_by is not None:
        lines.append(f"  the next step is taken by {status.next_by}")
    lines.append(f"  {status.tier}: fee {status.fee_bps} bps; {', '.join(status.risks) or 'no further risks'}")
    return lines
