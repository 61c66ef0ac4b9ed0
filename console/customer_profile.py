"""`tierwatch profile`: what is usual for a customer, in words and a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.chart import columns
from console.errors import CommandError
from console.terminal import counted
from schemas.timestamps import MS_PER_DAY, format_ms

if TYPE_CHECKING:
    from pipeline.history import History

DAYS = 28
_NAMED = 6


def command(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILES...]", help="The log as `replay` reads it; without it the state on Kafka."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="The house's first policy. [default: TIERWATCH_POLICY]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a customer usually does: amounts, hours, categories, places, and what left the usual lately.

    As of the customer's last payment. Nothing here is told to the customer: it says what would stand out.
    """
    from msgspec.json import encode

    from console.environment import settings
    from console.policies import read_policy
    from pipeline.history_bytes import read_history

    environment = settings()
    first = read_policy(policy or environment.policy)
    key = customer.encode()
    states = _replayed(files, first) if files else _on_kafka(key)
    if key not in states:
        raise CommandError(f"nothing is known of the customer {customer}", "Is the id written as the processor has it?")
    found = portrait(read_history(key, states.get))
    typer.echo(encode({"customer_id": customer, **found}) if json else "\n".join(in_words(customer, found)))


def portrait(history: "History") -> dict[str, Any]:
    """The profile as a JSON object: amounts in base minor units, times RFC 3339, days of UTC with the newest last."""
    from pipeline.behaviour import recent
    from schemas.transaction import TRANSACTION_TYPES

    profile = history.profile
    usual, rhythm, receipts, places = profile.baseline, profile.rhythm, profile.receipts, profile.places
    at_ms = history.newest_ms or history.last_arrival_ms
    last_hour, last_day, sum_day, _ = recent.look(history.log.entries, at_ms)
    spikes, highest, _, _ = profile.spikes.look(at_ms)
    categories = sorted(profile.categories.known.values(), key=lambda each: (-each.usual.count, each.name))
    return {
        "as_of": format_ms(at_ms),
        "payments": usual.count,
        "first_at": _time(rhythm.first_ms),
        "latest_at": _time(rhythm.latest_ms),
        "usual_minor": round(usual.mean),
        "spread_minor": round(usual.variance**0.5),
        "spikes_14d": int(spikes),
        "highest_spike": round(highest, 2),
        "last_1h": int(last_hour),
        "last_24h": int(last_day),
        "sum_24h_minor": int(sum_day),
        "hours": list(rhythm.hours),
        "days_minor": _days(history, at_ms),
        "categories": [
            {"category": each.name, "payments": each.usual.count, "usual_minor": round(each.usual.mean)}
            for each in categories
        ],
        "countries": dict(sorted(places.countries.items(), key=lambda each: (-each[1], each[0]))),
        "located_at": _time(places.located_ms),
        "located": [places.lat, places.lon] if places.located_ms >= 0 else None,
        "payees": len(history.payees.since),
        "new_payees_7d": history.payees.new_since(at_ms - 7 * MS_PER_DAY, at_ms),
        "devices": len(history.devices.since),
        "new_devices_7d": history.devices.new_since(at_ms - 7 * MS_PER_DAY, at_ms),
        "receipts": receipts.received,
        "first_receipt_at": _time(receipts.received_ms),
        "by_type": {name: count for name, count in zip(TRANSACTION_TYPES, receipts.by_kind, strict=True) if count},
    }


def in_words(customer: str, found: dict[str, Any]) -> list[str]:
    """The same in lines, the picture last."""
    if not found["payments"]:
        return [f"{customer}: no payment has taught a profile (as of {found['as_of']}); the policy's `profile` says if"]
    lines = [
        f"{customer}: {counted(found['payments'], 'payment')} from {found['first_at']} to {found['latest_at']}",
        f"  usually {_amount(found['usual_minor'])}, give or take {_amount(found['spread_minor'])}; "
        f"{counted(found['spikes_14d'], 'spike')} in 14 days"
        + (f", the highest {found['highest_spike']} times the usual" if found["spikes_14d"] else ""),
        f"  of the last 24 hours {counted(found['last_24h'], 'payment')} of {_amount(found['sum_24h_minor'])} together",
        f"  types: {_counts(found['by_type'])}",
        f"  categories: {_categories(found['categories'])}",
        f"  countries: {_counts(found['countries']) or 'none told'}",
        f"  {counted(found['payees'], 'payee')}, {found['new_payees_7d']} of them new this week",
        f"  {counted(found['devices'], 'device')}, {found['new_devices_7d']} of them new this week",
    ]
    if found["located"]:
        lat, lon = found["located"]
        lines.append(f"  last located at {lat:.2f}, {lon:.2f} on {found['located_at']}")
    if found["receipts"]:
        lines.append(f"  {counted(found['receipts'], 'receipt')} since {found['first_receipt_at']}")
    lines += ["", f"  amount per day, {DAYS} days until {found['as_of'][:10]} (UTC), in minor units"]
    lines += [f"  {line}" for line in columns(found["days_minor"])]
    lines += ["", "  payments by hour of the day, 0 to 23 (UTC), older ones faded"]
    return [*lines, *(f"  {line}" for line in columns(found["hours"]))]


def _days(history: "History", at_ms: int) -> list[int]:
    """What was paid on each of the last days, from the windows."""
    from schemas.transaction import TRANSACTION_TYPES

    mask = sum(1 << TRANSACTION_TYPES.index(name) for name in ("purchase", "transfer", "withdrawal"))
    timeline, today = history.timeline(mask), at_ms // MS_PER_DAY
    days = range(today - DAYS + 1, today + 1)
    return [timeline.total(day * MS_PER_DAY, min((day + 1) * MS_PER_DAY - 1, at_ms))[0] for day in days]


def _replayed(files: Sequence[str], policy: Any) -> dict[bytes, bytes]:  # noqa: ANN401 - imported where it is used
    from console.inputs import check_readable, lines_of, open_input
    from console.offline import Offline
    from console.replay import replay

    check_readable(list(files))
    pipeline = Offline(policy)
    for name in files:
        with open_input(name) as source:
            for _ in replay(lines_of(source), policy, pipeline=pipeline):
                pass
    return pipeline.windows


def _on_kafka(key: bytes) -> dict[bytes, bytes]:
    from agents.topics import CHANGELOGS
    from agents.whole_topic import WholeTopic
    from console.environment import settings
    from pipeline.history_bytes import owner_of

    states: dict[bytes, bytes] = {}
    with WholeTopic(settings(), CHANGELOGS["windows"]) as whole:
        for record in whole.to_the_end():
            if record.key is None or owner_of(record.key) != key:
                continue
            if record.value is None:
                states.pop(record.key, None)
            else:
                states[record.key] = record.value
    return states


def _time(at_ms: int) -> str | None:
    return format_ms(at_ms) if at_ms >= 0 else None


def _amount(minor: int) -> str:
    return f"{minor:,}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _categories(categories: list[dict[str, Any]]) -> str:
    named = [f"{each['category']} {each['payments']} of {_amount(each['usual_minor'])}" for each in categories[:_NAMED]]
    more = len(categories) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
