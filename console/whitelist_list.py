"""An existing whitelist as a file: paper files made into admissions that people sign in turn."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from agents.exit_codes import Exit
from console.errors import CommandError
from schemas.timestamps import MS_PER_DAY, MS_PER_SECOND, format_ms

if TYPE_CHECKING:
    from console.signing_key import Hand
    from pipeline.policy.model import Policy, Tier
    from schemas.reasons import RefusalReason

COLUMNS = ("customer_id", "tier", "evidence", "reference", "issued_at", "expires_at")
Fields = dict[str, Any]


def admissions(lines: Iterable[str], name: str, policy: "Policy", actor: str, now_ms: int) -> list[Fields]:
    """The admissions of a CSV with a row for each piece of evidence, by customer in the order of the file.

    Reviews are due within the second half of each tier's interval, each customer's at a moment of its own.

    Raises:
        CommandError: columns, cells or rows are missing, a tier cannot be granted, or a customer has two.

    """
    reader = csv.DictReader(lines)
    lacking = sorted(set(COLUMNS) - set(reader.fieldnames or ()))
    if lacking:
        hint = f"It needs the columns {', '.join(COLUMNS)}; `expires_at` may be empty."
        raise CommandError(f"{name} has no column {', '.join(lacking)}", hint, Exit.BAD_INPUT)
    tiers = {tier.name: tier for tier in policy.tiers[1:]}
    made: dict[str, Fields] = {}
    for row in reader:
        customer_id, tier = row["customer_id"], tiers.get(row["tier"])
        where = f"{name}:{reader.line_num}"
        if None in row or None in row.values():
            raise CommandError(
                f"{where}: as many cells as the header has columns are wanted",
                'Write "" where there is nothing to say, and put quotes around what holds a comma.',
                Exit.BAD_INPUT,
            )
        if tier is None:
            raise CommandError(
                f"{where}: {row['tier'] or 'no tier'} cannot be granted",
                f"Known are {', '.join(tiers)}.",
                Exit.BAD_INPUT,
            )
        admission = made.setdefault(customer_id, _admission(customer_id, tier, actor, now_ms))
        if admission["tier"] != tier.name:
            raise CommandError(f"{where}: {customer_id} has two tiers", "Keep one of them.", Exit.BAD_INPUT)
        item = {"kind": row["evidence"], "reference": row["reference"], "issued_at": row["issued_at"]}
        admission["evidence"].append(item | ({"expires_at": row["expires_at"]} if row["expires_at"] else {}))
    if not made:
        raise CommandError(f"{name} has no rows", "It needs one for each piece of evidence.", Exit.BAD_INPUT)
    return [_named(admission) for admission in made.values()]


def countersigned(admission: Fields, hand: "Hand") -> Fields:
    """The admission with one more signature: the first is the actor's."""
    from schemas.signing import sign

    value = sign(hand.private_key, admission)
    if "signature" not in admission:
        return admission | {"signature": {"key_id": hand.key_id, "value": value}}
    one = {"person": hand.name, "key_id": hand.key_id, "value": value}
    return admission | {"countersignatures": [*admission.get("countersignatures", ()), one]}


def signed_so_far(policy: "Policy") -> "Policy":
    """The policy, content with one signature: what else it refuses, the first who signs should know."""
    from msgspec.structs import replace

    return replace(policy, tiers=tuple(replace(tier, approvals=min(tier.approvals, 1)) for tier in policy.tiers))


def refusals(admissions: Iterable[Mapping[str, Any]], policy: "Policy", now_ms: int) -> Iterator[tuple[str, str]]:
    """Customer and reason of each admission that would be refused if nothing else were known of the customer.

    One that lacks only signatures is `too_few_approvers`; one that cannot even be read is named by its first fault.
    """
    from pipeline.whitelist.dossier import EMPTY
    from pipeline.whitelist.life import Refusal, apply
    from schemas.codec import Undecodable, decode_customer_event

    for admission in admissions:
        try:
            decoded = decode_customer_event(msgspec.json.encode(admission))
        except Undecodable as error:
            yield str(admission.get("customer_id", "")), f"{error.reason}: {error.detail}"
            continue
        found = apply(decoded.message, decoded.fields, EMPTY, policy, now_ms)
        if isinstance(found, Refusal):
            yield decoded.message.customer_id, _in_words(found.reason, found)


def _in_words(reason: "RefusalReason", refusal: Any) -> str:  # noqa: ANN401 - its audit entry is the only message
    return f"{reason}: {refusal.outgoing[0].body.detail}"


def _admission(customer_id: str, tier: "Tier", actor: str, now_ms: int) -> Fields:
    from pipeline.turns import share_ms

    every_ms = min(tier.review.every_ms if tier.review is not None else 0, tier.grant_ms - MS_PER_DAY)
    review_ms = now_ms + every_ms // 2 + share_ms(customer_id, every_ms // 2)
    return {
        "event_type": "admission.approved",
        "customer_id": customer_id,
        "occurred_at": format_ms(now_ms),
        "actor": actor,
        "reason_code": "existing_whitelist",
        "tier": tier.name,
        "evidence": [],
        "review_at": format_ms(review_ms // MS_PER_SECOND * MS_PER_SECOND),
        "expires_at": format_ms(now_ms + tier.grant_ms),
    }


def _named(admission: Fields) -> Fields:
    """By what it rests on: the same list made into admissions again is refused, and grants nothing twice."""
    from pipeline.ids import derived_id

    references = (item["reference"] for item in admission["evidence"])
    return admission | {"event_id": derived_id(admission["customer_id"], admission["tier"], *references)}
