"""What a transition sees and says: one customer event, one dossier, and either the next dossier or a named refusal."""

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.policy.model import Policy, Tier
from pipeline.policy.sweeps import Sweep
from pipeline.whitelist.conduct import NOTHING_KNOWN, Conduct
from pipeline.whitelist.dossier import Dossier
from pipeline.whitelist.outgoing import Outgoing
from schemas.disposition import Disposition
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


class Labelled(NamedTuple):
    """Effect on what is remembered of a payment: the customer has said what it was."""

    disposition: Disposition


Effect = DeviceKnown | PayeeKnown | Labelled


class Case(NamedTuple):
    """Where an event arrives. `raw_fields` is the event as received, unknown fields included: what was signed.

    `occurred_ms` is no later than the skew allows, whatever the sender's clock says.
    """

    raw_fields: Mapping[str, object]
    dossier: Dossier
    policy: Policy
    occurred_ms: int
    arrival_ms: int
    conduct: Conduct = NOTHING_KNOWN
    sweeps: tuple[Sweep, ...] = ()


class Ahead(NamedTuple):
    """What may come due for a customer beside what the dossier says: sweeps, which concern many."""

    customer_id: str
    sweeps: tuple[Sweep, ...] = ()


class Tick(NamedTuple):
    """A look at the clock: `due_ms` is the moment that has come, `clock_ms` when somebody looked."""

    ahead: Ahead
    policy: Policy
    due_ms: int
    clock_ms: int
    conduct: Conduct = NOTHING_KNOWN

    @property
    def customer_id(self) -> str:
        """Whom the look is at."""
        return self.ahead.customer_id


class Change(NamedTuple):
    """The dossier afterwards, what the customer's windows must learn, and what is said beside what follows from both.

    The audit entry, account actions, entitlements, and what a customer is told, follow from the two dossiers.
    """

    dossier: Dossier
    effects: tuple[Effect, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()


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


def tier_held(case: Case) -> Tier:
    """The tier granted, suspended or not; the base tier without a grant or past its end."""
    grant = case.dossier.grant
    tiers = case.policy.tiers
    if grant is None or case.arrival_ms >= grant.grace_until_ms:
        return tiers[0]
    return next((tier for tier in tiers if tier.name == grant.tier), tiers[0])
