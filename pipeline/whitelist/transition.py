"""What a transition sees and says: one customer event, one dossier, and either the next dossier or a named refusal."""

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.policy.model import Policy
from pipeline.whitelist.dossier import Dossier
from schemas.reasons import RefusalReason
from schemas.timestamps import format_ms


class DeviceKnown(NamedTuple):
    """Effect on the customer's windows: the device is known from `at_ms` on."""

    device_id: str
    at_ms: int


class PayeeKnown(NamedTuple):
    """Effect on the customer's windows: the payee is known from `at_ms` on."""

    payee_id: str
    at_ms: int


Effect = DeviceKnown | PayeeKnown


class Case(NamedTuple):
    """Where an event arrives. `raw_fields` is the event as received, unknown fields included: what was signed."""

    raw_fields: Mapping[str, object]
    dossier: Dossier
    policy: Policy
    occurred_ms: int
    arrival_ms: int


class Change(NamedTuple):
    """The dossier afterwards, and what the customer's windows must learn."""

    dossier: Dossier
    effects: tuple[Effect, ...] = ()


class Refused(NamedTuple):
    """Why nothing changes; `detail` says which part of the event, in words for whoever sent it."""

    reason: RefusalReason
    detail: str = ""


def lowered_ms(dossier: Dossier, arrival_ms: int) -> int:
    """The newest lowering known at an arrival: by an event, or by the end of the grant, announced or not."""
    grant = dossier.grant
    if grant is None or arrival_ms < grant.grace_until_ms:
        return dossier.lowered_ms
    return max(dossier.lowered_ms, grant.grace_until_ms)


def refuse_raising(case: Case) -> Refused | None:
    """A raise must have seen every lowering that is known: whatever the order they arrive in, none is undone by age."""
    known_ms = lowered_ms(case.dossier, case.arrival_ms)
    if case.occurred_ms > known_ms:
        return None
    return Refused(RefusalReason.OLDER_THAN_KNOWN, f"lowered or frozen at {format_ms(known_ms)}")
