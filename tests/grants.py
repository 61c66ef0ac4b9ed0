"""A small policy with people who sign, and the customer events they send: as bytes, through the real codec and keys."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.json import encode

from pipeline.policy.model import Person, Policy, ReviewTerms, Tier
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.life import Applied, Duplicate, Refusal, apply
from pipeline.whitelist.outgoing import Outgoing
from schemas.account_action import AccountAction
from schemas.codec import Decoded, decode_customer_event
from schemas.customer_event import CustomerEvent
from schemas.reasons import RefusalReason
from schemas.signing import sign
from schemas.timestamps import MS_PER_DAY, format_ms, parse_ms

DAY = MS_PER_DAY
START = parse_ms("2026-01-01T00:00:00Z")
CUSTOMER = "c-1"
# ana and ben approve any tier, eve only silver, olga none; the customer has a key too.
ROLES = {
    "ana": ("risk", "desk"),
    "ben": ("risk",),
    "eve": ("desk",),
    "olga": ("operations",),
    CUSTOMER: ("risk",),
}
REVIEW = ReviewTerms(every_ms=90 * DAY, notice_ms=10 * DAY, remind_ms=(-5 * DAY, 0, 5 * DAY), grace_ms=15 * DAY)


def private_key(person: str) -> bytes:
    return blake2b(person.encode(), digest_size=32).digest()


def public_key(person: str) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private_key(person)).public_key().public_bytes_raw()


def tier(name: str, rank: int, **above: Any) -> Tier:  # noqa: ANN401 - further fields of a Tier
    return Tier(
        name=name,
        rank=rank,
        limits={"amount_24h": 100_000 * (rank + 1), "count_24h": 10 * (rank + 1)},
        fee_bps=100 - 10 * rank,
        authentication="otp",
        priority=rank == 2,
        service_channel="desk",
        **above,
    )


POLICY = Policy(
    name="test",
    version=7,
    digest="ab" * 32,
    base_currency="USD",
    zone="UTC",
    lateness_ms=DAY,
    skew_ms=300_000,
    tiers=(
        tier("base", 0),
        tier("silver", 1, approvals=1, approver_roles=("risk", "desk"), review=REVIEW, grant_ms=400 * DAY),
        tier("gold", 2, approvals=2, approver_roles=("risk",), review=REVIEW, grant_ms=400 * DAY),
    ),
    rules={},
    bands=(),
    outcomes={},
    people=tuple(Person(name, roles, {"k-1": public_key(name)}) for name, roles in ROLES.items()),
    policy_approvals=2,
    policy_approver_roles=("risk",),
    rate_max_age_ms=DAY,
)


def document(**changes: object) -> dict[str, Any]:
    return {"kind": "identity", "reference": "doc-1", "issued_at": format_ms(START - DAY), **changes}


def fields_of(event_type: str, at: int, **more: object) -> dict[str, Any]:
    """An event's fields, named after its type and time unless told otherwise."""
    return {
        "event_type": event_type,
        "event_id": f"{event_type} {at - START}",
        "customer_id": CUSTOMER,
        "occurred_at": format_ms(at),
        "actor": "ana",
        **more,
    }


def signed(fields: dict[str, Any], signers: Sequence[str]) -> dict[str, Any]:
    """The same fields with the signature of the first signer, and the others' countersignatures."""
    first, *others = ({"person": name, "key_id": "k-1", "value": sign(private_key(name), fields)} for name in signers)
    return {**fields, "signature": {"key_id": first["key_id"], "value": first["value"]}, "countersignatures": others}


def admission_fields(at: int, tier: str = "gold", **more: object) -> dict[str, Any]:
    return fields_of(
        "admission.approved",
        at,
        **{
            "tier": tier,
            "evidence": [document()],
            "expires_at": format_ms(at + 365 * DAY),
            "review_at": format_ms(at + 90 * DAY),
            **more,
        },
    )


def admission(at: int, tier: str = "gold", **more: object) -> dict[str, Any]:
    return signed(admission_fields(at, tier, **more), ("ana", "ben"))


def freeze(at: int, **more: object) -> dict[str, Any]:
    return fields_of("account.frozen", at, **{"actor": "anybody", **more})


def lift(at: int, signers: Sequence[str] = ("ana", "ben"), **more: object) -> dict[str, Any]:
    return signed(fields_of("account.unfrozen", at, **{"actor": signers[0], **more}), signers)


def decoded(fields: dict[str, Any]) -> Decoded[CustomerEvent]:
    return decode_customer_event(encode(fields))


def arrive(
    fields: dict[str, Any], dossier: Dossier, arrival_ms: int, policy: Policy = POLICY
) -> Applied | Refusal | Duplicate:
    event = decoded(fields)
    return apply(event.message, event.fields, dossier, policy, arrival_ms)


def after(*arrivals: tuple[dict[str, Any], int], dossier: Dossier | None = None, policy: Policy = POLICY) -> Dossier:
    """The dossier after events that must all be applied, each (fields, arrival)."""
    now = dossier or Dossier()
    for fields, arrival_ms in arrivals:
        outcome = arrive(fields, now, arrival_ms, policy)
        assert isinstance(outcome, Applied), outcome
        now = outcome.dossier
    return now


def applied(fields: dict[str, Any], dossier: Dossier, arrival_ms: int) -> Applied:
    outcome = arrive(fields, dossier, arrival_ms)
    assert isinstance(outcome, Applied), outcome
    return outcome


def refused(fields: dict[str, Any], dossier: Dossier, arrival_ms: int) -> RefusalReason:
    outcome = arrive(fields, dossier, arrival_ms)
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason


def bodies(outgoing: tuple[Outgoing, ...]) -> list[Any]:
    return [one.body for one in outgoing]


def actions(outgoing: tuple[Outgoing, ...]) -> list[tuple[str, str, str]]:
    asked = [body for body in bodies(outgoing) if isinstance(body, AccountAction)]
    return [(body.action, body.tier_from, body.tier_to) for body in asked]
