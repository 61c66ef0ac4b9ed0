"""The dossier: what is remembered of a customer's life on the whitelist, and the tier it gives at a moment."""

from dataclasses import dataclass
from typing import NamedTuple

# The newest events applied, so that a repeat is quiet. Nothing rests on it: a repeat that was forgotten is older than
# what it once did, so it cannot raise again.
APPLIED_KEPT = 64
# Before every moment that can be told.
NEVER = -(1 << 63)


class Evidence(NamedTuple):
    """One document or check that a grant rests on; `expires_ms` None never expires."""

    kind: str
    reference: str
    issued_ms: int
    expires_ms: int | None


class Filed(NamedTuple):
    """The newest check of its kind: who filed it when, and what it found, as sorted (name, value) pairs."""

    kind: str
    reference: str
    issued_ms: int
    filed_ms: int
    expires_ms: int | None
    gathered_by: str
    facts: tuple[tuple[str, str | int], ...]


class Contact(NamedTuple):
    """Where the customer can be reached, since when; `reference` leads to it."""

    kind: str
    reference: str
    since_ms: int


class Chargeback(NamedTuple):
    """What a payment, or an alert, was found to be, and when; `about` is a digest of its identity."""

    about: bytes
    labelled_ms: int
    is_fraud: bool


class Allowance(NamedTuple):
    """What one customer may beside the tier: a `limit` of a rule, or None where what it finds is suppressed.

    A limit without `until_ms` lasts as long as the grant.
    """

    rule: str
    limit: int | None
    until_ms: int | None
    event_id: str
    approvers: tuple[str, ...]


class Application(NamedTuple):
    """What the customer last asked for, and how far that is: `since_ms` it is there, `ends_ms` it lapses, None never.

    `attempts` counts the call-backs issued; `asked` are the questions of the last one, and `doubted` says that its
    answers were followed by further ones. One that is `stopped` is never approved, nor called for; the customer sees it
    go on.
    """

    application_id: str
    tier: str
    limits: tuple[tuple[str, int], ...]
    applicant: str
    submitted_ms: int
    stage: str
    since_ms: int
    ends_ms: int | None
    attempts: int = 0
    asked: tuple[str, ...] = ()
    doubted: bool = False
    reason_code: str = ""
    stopped: bool = False


class Basis(NamedTuple):
    """What a grant rests on beside its evidence: the application it decided, none for paper, after how many call-backs.

    If it renews, `since_ms` is when the first of the grants before it was given without a break, None otherwise, and
    `approvers` gave them.
    """

    application_id: str = ""
    attempts: int = 0
    since_ms: int | None = None
    approvers: tuple[str, ...] = ()


class Lift(NamedTuple):
    """The newest end of a `freeze` or a `suspension`, and the rank of the highest tier whose approvals it had.

    Or what the next one takes: the rank of an `approval` that was refused for being late, and when it would have ended.
    """

    of: str
    at_ms: int
    rank: int


NO_BASIS = Basis()


@dataclass(frozen=True)
class Grant:
    """A tier above base, with all that it may not be without. Times in epoch milliseconds.

    `grace_until_ms` is the first moment without the tier: the review's grace over, or the expiry where that is sooner,
    because it has no grace. `steps` is the review clock, fixed with the grant so that a change of policy never moves a
    date once given: the request, the reminders, the end; rising. After `dormant_ms` without a payment somebody looks, 0
    for never.
    """

    tier: str
    event_id: str
    approvers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    granted_ms: int
    expires_ms: int
    review_ms: int
    grace_until_ms: int
    steps: tuple[int, ...]
    dormant_ms: int = 0
    basis: Basis = NO_BASIS


@dataclass(frozen=True)
class Dossier:
    """A customer on, or once on, the whitelist. Immutable; an event or a tick makes a new one.

    `announced` counts the grant's steps already announced. `lowered_ms` is the newest moment at which an event lowered
    or froze: what occurred no later must not raise. `applied` holds `fingerprint`s, oldest first. An ended grant stays
    until another takes its place: it says what may no longer raise. `file` and `contacts` hold the newest of each kind,
    contacts the few newest, because a number just changed is not called. That evidence expires has been said up to
    `warned_ms`. `swept` is the newest sweep asked for by cause; `active_ms` when a look found a payment, or asked for
    want of one; `failures` when second factors failed of late. `assess_ms` is when an application that waits for quiet
    is looked at again. `measured_ms` is when behaviour was last compared with the customer's own profile, or when
    that began, None where it never did; `shifted_ms` since when it has left it, until a newer grant.
    `chargebacks` are payments of the last year that were found to be fraud, or no fraud after all. `credential_ms` is
    when what the customer logs in or pays with was last changed. `lifts` are the last freeze and suspension lifted.
    """

    grant: Grant | None = None
    announced: int = 0
    frozen_since_ms: int | None = None
    lowered_ms: int = NEVER
    applied: tuple[bytes, ...] = ()
    suspended_since_ms: int | None = None
    application: Application | None = None
    file: tuple[Filed, ...] = ()
    contacts: tuple[Contact, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    warned_ms: int = NEVER
    swept: tuple[tuple[str, int], ...] = ()
    active_ms: int = NEVER
    failures: tuple[int, ...] = ()
    assess_ms: int | None = None
    measured_ms: int | None = None
    shifted_ms: int | None = None
    chargebacks: tuple[Chargeback, ...] = ()
    credential_ms: int = NEVER
    lifts: tuple[Lift, ...] = ()

    @property
    def frozen(self) -> bool:
        """Whether a freeze stands."""
        return self.frozen_since_ms is not None

    @property
    def is_trusted(self) -> bool:
        """Whether the grant was given since behaviour last left the profile, or it never did."""
        return self.shifted_ms is None or (self.grant is not None and self.grant.granted_ms > self.shifted_ms)


EMPTY = Dossier()


def tier_at(dossier: Dossier, arrival_ms: int) -> str | None:
    """The name of the tier granted at an arrival, None for base. Needs no tick: ticks only announce."""
    grant = dossier.grant
    if grant is None or arrival_ms >= grant.grace_until_ms or dossier.suspended_since_ms is not None:
        return None
    return grant.tier
